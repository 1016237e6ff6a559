"""The Deployment whose pods answer."""

from typing import Final

from va_operator.api import Manifest, VirtualAssistant
from va_operator.resources.metadata import metadata_for, selector_for
from va_operator.resources.pod_template import Images, build_template
from va_operator.template_stamp import STAMP_ANNOTATION, Stamp, stamp_for

PROGRESS_DEADLINE_SECONDS: Final = 600


def build_deployment(assistant: VirtualAssistant, revision: str, images: Images) -> Manifest:
    """Return the desired Deployment, whose pods answer from a revision."""
    template = build_template(assistant, revision, images)
    stamp = stamp_for(assistant, revision, images, template)
    return with_template(_around(assistant), template, stamp)


def with_template(deployment: Manifest, template: Manifest, stamp: Stamp | None) -> Manifest:
    """Return a Deployment with these pods, and what they were made from where that is known."""
    annotations = {STAMP_ANNOTATION: str(stamp)} if stamp else {}
    return {
        **deployment,
        "metadata": {**deployment["metadata"], "annotations": annotations},
        "spec": {**deployment["spec"], "template": template},
    }


def with_replicas(deployment: Manifest, replicas: int) -> Manifest:
    """Return a Deployment as it was sent, scaled: its pods are to stay as they are."""
    return {**deployment, "spec": {**deployment["spec"], "replicas": replicas}}


def _around(assistant: VirtualAssistant) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata_for(assistant),
        "spec": {
            "replicas": assistant.pods_wanted,
            "revisionHistoryLimit": 2,
            "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "selector": {"matchLabels": selector_for(assistant)},
        },
    }
