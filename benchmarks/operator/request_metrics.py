"""The API server's own account of its requests: `apiserver_request_total`. Pure."""

import re
from collections import Counter
from typing import NamedTuple

LINE = re.compile(r"^apiserver_request_total\{(?P<labels>.*)\} (?P<count>\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"})


class Call(NamedTuple):
    """What a request asks for: `APPLY configmaps`, `APPLY virtualassistants/status`."""

    verb: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


Calls = Counter[Call]


def parse_requests(metrics: str) -> Calls:
    """Return how often each call was answered, whatever the answer was."""
    found: Calls = Counter()
    for line in LINE.finditer(metrics):
        labels = dict(LABEL.findall(line["labels"]))
        resource = labels.get("resource", "")
        if labels.get("subresource"):
            resource += "/" + labels["subresource"]
        found[Call(labels.get("verb", ""), resource)] += int(float(line["count"]))
    return found


def made_between(before: Calls, after: Calls, resources: frozenset[str]) -> Calls:
    """Return the calls for some resources (and their subresources) that came in between."""
    made = after - before
    return Counter({c: n for c, n in made.items() if c.resource.split("/")[0] in resources})


def writes(calls: Calls) -> int:
    """Return how many of the calls change something.

    Leases do not count: the kubelet renews its own every ten seconds, and the API server does
    not tell its requests from the operator's.
    """
    return sum(n for call, n in calls.items() if call.verb in WRITES and call.resource != "leases")


def written(calls: Calls, resource: str) -> int:
    """Return how often a resource was applied or patched.

    The API server counts an apply as `APPLY` only where its content type has no parameter.
    """
    return calls[Call("APPLY", resource)] + calls[Call("PATCH", resource)]
