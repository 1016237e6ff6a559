from benchmarks.operator.bench_cluster import with_options
from benchmarks.operator.report import ratio
from benchmarks.tables import table


def test_a_table_is_aligned() -> None:
    assert table(("who", "per s"), [("operator", 71.256), ("limit", 1234.5)]) == (
        "| who      | per s |\n| -------- | ----: |\n| operator | 71.26 |\n| limit    |  1234 |"
    )


def test_the_ratio_is_of_the_medians_of_the_rounds() -> None:
    rounds = [
        {"who": who, "rate": rate}
        for who, rates in (("bare client", (80.0, 100.0, 5.0)), ("operator", (60.0, 1.0, 90.0)))
        for rate in rates
    ]
    assert ratio(rounds, "operator") == 0.75


def test_an_option_is_replaced_where_it_stands_and_added_where_not() -> None:
    command = ["kube-scheduler", "--leader-elect=true", "--v=2"]
    options = {"leader-elect": "false", "kube_api_qps": "9"}
    assert with_options(command, options) == [
        "kube-scheduler", "--v=2", "--leader-elect=false", "--kube-api-qps=9",
    ]  # fmt: skip
