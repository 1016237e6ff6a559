"""The page about running the operator and the settings are in step."""

import re

import yaml

from support.cluster import ROOT
from support.published_roles import OPERATOR
from va_operator.settings import OperatorSettings


def test_the_page_lists_every_setting_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "operator.md").read_text()

    listed = set(re.findall(r"^\| `VA_OPERATOR_(\w+)`", page, re.MULTILINE))

    fields = {name.upper() for name in OperatorSettings.model_fields} - {"IN_CLUSTER"}
    assert listed == fields


def test_the_page_explains_every_right_in_the_published_roles() -> None:
    page = (ROOT / "docs" / "reference" / "operator.md").read_text()
    listed = set(re.findall(r"^\| `([a-z./0-9]+)` \| ([a-z, ]+) \| .+ \|$", page, re.MULTILINE))

    roles = yaml.safe_load_all((ROOT / "deploy" / "kustomize" / "rbac.yaml").read_text())
    granted = {
        (f"{resource}.{group}".rstrip("."), ", ".join(rule["verbs"]))
        for role in roles
        if role["kind"] in {"ClusterRole", "Role"} and role["metadata"]["name"] == OPERATOR
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert listed == granted
