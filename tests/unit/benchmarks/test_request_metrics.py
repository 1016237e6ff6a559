from benchmarks.operator.request_metrics import Call, made_between, parse_requests, writes, written

BEFORE = """\
# HELP apiserver_request_total Counter of apiserver requests
# TYPE apiserver_request_total counter
apiserver_request_total{code="201",resource="configmaps",subresource="",verb="APPLY"} 3
apiserver_request_total{code="200",resource="configmaps",subresource="",verb="APPLY"} 1
apiserver_request_duration_seconds_count{resource="configmaps",verb="APPLY"} 4
"""
AFTER = """\
apiserver_request_total{code="201",resource="configmaps",subresource="",verb="APPLY"} 5
apiserver_request_total{code="200",resource="configmaps",subresource="",verb="APPLY"} 1
apiserver_request_total{code="200",resource="virtualassistants",subresource="status",verb="APPLY"} 2
apiserver_request_total{code="404",resource="services",subresource="",verb="GET"} 7
apiserver_request_total{code="200",resource="nodes",subresource="status",verb="PATCH"} 9
apiserver_request_total{code="200",resource="leases",subresource="",verb="PUT"} 1e+01
"""


def test_the_same_call_is_counted_whatever_the_answer_was() -> None:
    assert parse_requests(BEFORE) == {Call("APPLY", "configmaps"): 4}


def test_a_large_number_is_written_with_an_exponent() -> None:
    assert parse_requests(AFTER)[Call("PUT", "leases")] == 10


def test_what_was_made_between_is_only_of_what_is_asked_for() -> None:
    made = made_between(
        parse_requests(BEFORE),
        parse_requests(AFTER),
        frozenset({"configmaps", "services", "virtualassistants"}),
    )
    assert made == {
        Call("APPLY", "configmaps"): 2,
        Call("APPLY", "virtualassistants/status"): 2,
        Call("GET", "services"): 7,
    }
    assert writes(made) == 4


def test_leases_are_no_writes_of_the_operator() -> None:
    assert writes(parse_requests('apiserver_request_total{resource="leases",verb="PUT"} 3\n')) == 0


def test_an_apply_counts_under_either_of_its_names() -> None:
    made = parse_requests(
        'apiserver_request_total{resource="services",verb="PATCH"} 2\n'
        'apiserver_request_total{resource="services",verb="APPLY"} 1\n'
        'apiserver_request_total{resource="services",verb="GET"} 5\n'
    )
    assert written(made, "services") == 3
