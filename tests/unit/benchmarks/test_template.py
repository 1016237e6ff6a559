import json
from typing import Any

from benchmarks.operator.template import Template, template_of
from va_operator.owned import FIELD_MANAGER

ASSISTANT = {
    "metadata": {"name": "assistant-sample", "namespace": "bench-sample", "uid": "u-1"},
    "status": {"observedGeneration": 1, "selector": "instance=assistant-sample"},
}


def service(uid: str = "u-1", *, port: int = 80) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "assistant-sample",
            "namespace": "bench-sample",
            "resourceVersion": "7",
            "ownerReferences": [{"uid": uid, "name": "assistant-sample"}],
            "managedFields": [
                {
                    "manager": FIELD_MANAGER,
                    "operation": "Apply",
                    "fieldsV1": {
                        "f:metadata": {"f:ownerReferences": {f'k:{{"uid":"{uid}"}}': {}}},
                        "f:spec": {"f:port": {}},
                    },
                }
            ],
        },
        "spec": {"port": port, "clusterIP": "10.0.0.1"},
    }


def test_only_what_the_operator_applied_is_in_the_template() -> None:
    template = template_of(ASSISTANT, [service()])
    path, body = template.children[0].fill("ada", "bench-2", "u-9")
    assert path == "/api/v1/namespaces/bench-2/services/ada"
    assert json.loads(body) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "ada",
            "namespace": "bench-2",
            "ownerReferences": [{"uid": "u-9", "name": "ada"}],
        },
        "spec": {"port": 80},
    }


def test_the_status_bears_the_uid_of_its_assistant() -> None:
    _path, body = template_of(ASSISTANT, []).status.fill("ada", "bench-2", "u-9")
    filled = json.loads(body)
    assert filled["metadata"] == {"name": "ada", "namespace": "bench-2", "uid": "u-9"}
    assert filled["status"]["selector"] == "instance=ada"


def test_what_belongs_to_others_is_not_in_the_template() -> None:
    assert template_of(ASSISTANT, [service("u-2")]).kinds == ()


def test_a_change_holds_only_the_children_that_differ() -> None:
    before, after = (template_of(ASSISTANT, [service(port=port)]) for port in (80, 81))
    assert after.without(before).kinds == ("Service",)
    assert before.without(before).kinds == ()


def test_a_template_survives_its_way_to_another_process() -> None:
    template = template_of(ASSISTANT, [service()])
    assert Template.from_json(template.to_json()) == template
