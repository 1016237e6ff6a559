"""What is missing of what the operator must be allowed, and how it notices."""

import asyncio
import logging
from collections.abc import Callable

import pytest
import yaml

from support.cluster import ROOT
from support.published_roles import OPERATOR, Right, rights
from va_operator.api import Manifest
from va_operator.errors import ClusterFailure
from va_operator.permission_review import PermissionReview
from va_operator.permissions import NEEDED, Rule, describe, missing

ALL: list[Manifest] = [
    {"apiGroups": [rule.group], "resources": [rule.resource], "verbs": list(rule.verbs)}
    for rule in NEEDED
]


def without(resource: str, *verbs: str) -> list[Manifest]:
    return [
        {**rule, "verbs": [v for v in rule["verbs"] if v not in verbs]}
        if rule["resources"] == [resource]
        else rule
        for rule in ALL
    ]


def test_what_is_needed_is_what_the_published_role_grants() -> None:
    bodies = yaml.safe_load_all((ROOT / "deploy" / "kustomize" / "rbac.yaml").read_text())
    [role] = [
        body
        for body in bodies
        if (body["kind"], body["metadata"]["name"]) == ("ClusterRole", OPERATOR)
    ]
    needed = {Right(rule.group, rule.resource, verb) for rule in NEEDED for verb in rule.verbs}
    assert needed == rights(role["rules"])


@pytest.mark.parametrize(
    ("granted", "lacks"),
    [
        (ALL, ""),
        ([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], ""),
        (without("pods", "list", "watch"), "list, watch pods"),
        (without("deployments", "patch"), "patch deployments.apps"),
        (
            [*without("pods", "list"), {**ALL[0], "apiGroups": [""], "resources": ["nodes"]}],
            "list pods",
        ),
        (
            [
                *without("events", "create"),
                {"apiGroups": [""], "resources": ["events"], "verbs": ["create"],
                 "resourceNames": ["one"]},
            ],
            "create events",
        ),
        ([*without("pods", "list"), {"nonResourceURLs": ["/healthz"], "verbs": ["get"]}],
         "list pods"),
    ],
)  # fmt: skip
def test_what_is_not_granted_is_named(granted: list[Manifest], lacks: str) -> None:
    assert ", ".join(map(str, missing(granted))) == lacks


def test_what_is_missing_is_said_for_each_namespace() -> None:
    lacking = (Rule("", "pods", ("list",)), Rule("apps", "deployments", ("create", "patch")))
    assert describe({}) == describe({"shop": ()}) == ""
    assert describe({None: lacking[:1]}) == "not allowed in all namespaces: list pods"
    assert describe({"shop": lacking, "lab": (), "hall": lacking[:1]}) == (
        "not allowed in shop: list pods, create, patch deployments.apps; "
        "not allowed in hall: list pods"
    )


class Authorizer:
    """Answers reviews one after the other, and then ends the test."""

    def __init__(self, *answers: Manifest | ClusterFailure) -> None:
        self.answers = list(answers)
        self.asked: list[str | None] = []
        self.over = asyncio.Event()

    async def review_rules(self, namespace: str | None) -> Manifest:
        if not self.answers:
            self.over.set()
            await asyncio.Event().wait()
        self.asked.append(namespace)
        answer = self.answers.pop(0)
        if isinstance(answer, ClusterFailure):
            raise answer
        return answer


@pytest.fixture
def reviewed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, list[str | None]]]:
    """Let a review hear some answers; return what it then finds missing, and what it asked."""
    monkeypatch.setattr("va_operator.permission_review.REVIEW_SECONDS", 0)

    def hear(
        *answers: Manifest | ClusterFailure, namespaces: tuple[str, ...] = ()
    ) -> tuple[str, list[str | None]]:
        async def run() -> tuple[str, list[str | None]]:
            authorizer = Authorizer(*answers)
            review = PermissionReview(api=authorizer)
            running = asyncio.ensure_future(review.run(namespaces))
            async with asyncio.timeout(5):
                await authorizer.over.wait()
            running.cancel()
            return review.trouble, authorizer.asked

        return asyncio.run(run())

    return hear


LACKING: Manifest = {"incomplete": False, "resourceRules": without("pods", "list")}
COMPLETE: Manifest = {"incomplete": False, "resourceRules": ALL}


def test_each_namespace_is_reviewed(
    reviewed: Callable[..., tuple[str, list[str | None]]],
) -> None:
    found, asked = reviewed(COMPLETE, LACKING, namespaces=("shop", "lab"))
    assert (found, asked) == ("not allowed in lab: list pods", ["shop", "lab"])


def test_a_permission_that_is_given_back_is_noticed(
    reviewed: Callable[..., tuple[str, list[str | None]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    assert reviewed(COMPLETE, LACKING, LACKING, COMPLETE) == ("", [None] * 4)
    assert [record.message for record in caplog.records] == [
        "not allowed in all namespaces: list pods",
        "everything that is needed is allowed again",
    ]


def test_without_an_answer_the_last_one_holds(
    reviewed: Callable[..., tuple[str, list[str | None]]],
) -> None:
    assert reviewed(LACKING, ClusterFailure(503, "away"))[0] != ""


def test_an_answer_that_may_be_incomplete_accuses_nobody(
    reviewed: Callable[..., tuple[str, list[str | None]]],
) -> None:
    assert reviewed({"incomplete": True, "resourceRules": []})[0] == ""
