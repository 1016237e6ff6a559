"""The page about running the operator and the settings are in step."""

import re

from support.cluster import ROOT
from va_operator.settings import OperatorSettings


def test_the_page_lists_every_setting_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "operator.md").read_text()

    listed = set(re.findall(r"^\| `VA_OPERATOR_(\w+)`", page, re.MULTILINE))

    fields = {name.upper() for name in OperatorSettings.model_fields} - {"IN_CLUSTER"}
    assert listed == fields
