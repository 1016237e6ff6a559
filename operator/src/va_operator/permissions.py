"""What the operator must be allowed where it watches, and what of it is missing. Pure.

The rules are those of the ClusterRole in `deploy/kustomize/rbac.yaml`.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from va_operator.api import Manifest

EVERYTHING: Final = "*"


class Rule(NamedTuple):
    """What may be done with a resource, named as RBAC does, with its subresource."""

    group: str
    resource: str
    verbs: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in the words of `kubectl auth can-i`."""
        return f"{', '.join(self.verbs)} {self.resource}{self.group and '.'}{self.group}"


NEEDED: Final = (
    Rule("virtualassistant.dev", "virtualassistants", ("list", "watch")),
    Rule("virtualassistant.dev", "virtualassistants/status", ("patch",)),
    Rule("", "configmaps", ("get", "list", "watch", "create", "patch", "delete")),
    Rule("", "services", ("get", "list", "watch", "create", "patch")),
    Rule("apps", "deployments", ("get", "list", "watch", "create", "patch")),
    Rule(
        "policy",
        "poddisruptionbudgets",
        ("get", "list", "watch", "create", "patch", "delete"),
    ),
    Rule("networking.k8s.io", "networkpolicies", ("get", "list", "watch", "create", "patch")),
    Rule("", "pods", ("list", "watch")),
    Rule("", "events", ("create", "patch")),
)


def missing(granted: Iterable[Manifest]) -> tuple[Rule, ...]:
    """Return what is needed and not granted, of the rules that a SelfSubjectRulesReview lists."""
    rules = tuple(granted)
    lacks = (
        Rule(
            need.group,
            need.resource,
            tuple(verb for verb in need.verbs if not _grants(rules, need, verb)),
        )
        for need in NEEDED
    )
    return tuple(lack for lack in lacks if lack.verbs)


def describe(denied: Mapping[str | None, tuple[Rule, ...]]) -> str:
    """Say in one line what is missing, by namespace (None: all); "" for nothing."""
    return "; ".join(
        f"not allowed in {namespace or 'all namespaces'}: {', '.join(map(str, rules))}"
        for namespace, rules in denied.items()
        if rules
    )


def _grants(rules: Iterable[Manifest], need: Rule, verb: str) -> bool:
    return any(
        _has(rule.get("verbs"), verb)
        and _has(rule.get("apiGroups"), need.group)
        and _has(rule.get("resources"), need.resource)
        and not rule.get("resourceNames")  # good for single objects only
        for rule in rules
    )


def _has(names: Collection[str] | None, wanted: str) -> bool:
    return names is not None and (wanted in names or EVERYTHING in names)
