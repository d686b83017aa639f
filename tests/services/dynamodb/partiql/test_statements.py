"""ExecuteStatement as clients see it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

import pytest
from tests.services.dynamodb.conftest import n, refused, s

MALFORMED = "Statement wasn't well formed, can't be processed: "
FAILED = ("ConditionalCheckFailedException", "The conditional request failed")


@pytest.fixture
def run(db):
    """Runs a statement and gives its items."""

    def execute(statement, *parameters, **more):
        if parameters:
            more["Parameters"] = list(parameters)
        return db.execute_statement(Statement=statement, **more)["Items"]

    return execute


@pytest.fixture
def songs(make, db):
    """A table with a sort key and an index, and nine items in three partitions."""
    table = make(
        "artist:S song:S",
        gsi=[("by-year", "year:N song:S")],
        lsi=[("by-plays", "artist:S plays:N")],
    )
    for artist in "abc":
        for number in range(3):
            item = {"artist": s(artist), "song": s(f"s{number}"), "plays": n(10 - number)}
            db.put_item(TableName=table, Item={**item, "year": n(2000 + number)})
    return table


def names(items):
    return [(item["artist"]["S"], item["song"]["S"]) for item in items]


def test_what_is_inserted_is_selected(run, make):
    table = make()
    literal = "{'p': 'it''s', 'n': -1.50, 'l': [1, true, null], 'm': {'x': ?}, 'ss': <<'a', 'b'>>}"
    assert run(f'INSERT INTO "{table}" VALUE {literal}', {"B": b"\0\1"}) == []
    (item,) = run(f"SELECT * FROM \"{table}\" WHERE p = 'it''s'")
    assert set(item.pop("ss")["SS"]) == {"a", "b"}
    assert item == {
        "p": s("it's"),
        "n": n("-1.5"),
        "l": {"L": [n(1), {"BOOL": True}, {"NULL": True}]},
        "m": {"M": {"x": {"B": b"\0\1"}}},
    }


def test_an_insert_makes_and_never_replaces(run, make, db):
    table = make()
    run(f'INSERT INTO "{table}" VALUE ?', {"M": {"p": s("a"), "v": n(1)}})
    found = refused(
        db.execute_statement, Statement=f"INSERT INTO \"{table}\" VALUE {{'p': 'a', 'v': 2}}"
    )
    assert found == ("DuplicateItemException", "Duplicate primary key exists in table")
    assert run(f'SELECT v FROM "{table}"') == [{"v": n(1)}]


def test_a_select_by_key_reads_its_partition_only(db, songs):
    answer = db.execute_statement(
        Statement=f"SELECT * FROM \"{songs}\" WHERE artist = 'a' AND song > 's0'",
        ReturnConsumedCapacity="INDEXES",
    )
    assert names(answer["Items"]) == [("a", "s1"), ("a", "s2")]
    assert answer["ConsumedCapacity"]["Table"]["CapacityUnits"] == 0.5


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("artist = 'a' AND song BETWEEN 's1' AND 's2'", ["a1", "a2"]),
        ("artist = 'a' AND begins_with(song, 's')", ["a0", "a1", "a2"]),
        ("artist IN ['a', 'c'] AND song = 's1'", ["a1", "c1"]),
        ("artist = 'a' OR artist = 'b'", ["a0", "a1", "a2", "b0", "b1", "b2"]),
        ("'b' = artist AND 's1' >= song", ["b0", "b1"]),
        ("artist = 'a' AND NOT song = 's1'", ["a0", "a2"]),
        ("artist = 'a' AND song IN ('s0', 's2')", ["a0", "a2"]),
        ("plays < 9", ["a2", "b2", "c2"]),
        ("artist = 'a' AND plays <> 10", ["a1", "a2"]),
        ("artist = 'a' AND (plays = 10 OR plays = 8)", ["a0", "a2"]),
        ("artist = 'a' AND nothing IS MISSING AND plays IS NOT MISSING", ["a0", "a1", "a2"]),
        ("artist = 'a' AND attribute_exists(plays) = true AND plays IS NUMBER", ["a0", "a1", "a2"]),
        ("artist = 'a' AND ATTRIBUTE_TYPE(plays, 'S')", []),
        ("artist = 'a' AND size(song) = 2 AND contains(song, '2')", ["a2"]),
        ("artist = 'a' AND song IS NULL", []),
        ("song = 's1' -- of all\n AND artist <> 'b' /* not b */", ["a1", "c1"]),
    ],
)
def test_conditions_choose_items(run, songs, condition, expected):
    found = run(f'SELECT * FROM "{songs}" WHERE {condition}')
    assert sorted(a + song[1:] for a, song in names(found)) == expected


def test_an_index_is_read_in_its_order(run, songs):
    found = run(f'SELECT * FROM "{songs}"."by-plays" WHERE artist = ?', s("b"))
    assert [item["plays"]["N"] for item in found] == ["8", "9", "10"]
    found = run(f'SELECT artist FROM "{songs}"."by-year" WHERE "year" = 2001')
    assert sorted(item["artist"]["S"] for item in found) == ["a", "b", "c"]
    assert all(item.keys() == {"artist"} for item in found)


def test_order_by_turns_a_partition_around(run, songs, db):
    select = f"SELECT song FROM \"{songs}\" WHERE artist = 'a' ORDER BY song"
    assert [one["song"]["S"] for one in run(f"{select} DESC")] == ["s2", "s1", "s0"]
    assert [one["song"]["S"] for one in run(f"{select} ASC")] == ["s0", "s1", "s2"]
    both = f"SELECT * FROM \"{songs}\" WHERE artist IN ['a', 'b'] ORDER BY artist DESC, song DESC"
    assert names(run(both))[:4] == [("b", "s2"), ("b", "s1"), ("b", "s0"), ("a", "s2")]
    scan = f'SELECT * FROM "{songs}" WHERE plays = 9 ORDER BY song'
    assert "hash key condition in WHERE" in refused(db.execute_statement, Statement=scan)[1]
    other = f"SELECT * FROM \"{songs}\" WHERE artist = 'a' ORDER BY plays"
    assert "must be part of the primary key" in refused(db.execute_statement, Statement=other)[1]


def test_pages_go_on_where_the_last_one_ended(db, songs):
    for condition in ("artist IN ['c', 'a']", "plays > 0", "artist = 'a'"):
        statement = f'SELECT * FROM "{songs}" WHERE {condition}'
        whole = db.execute_statement(Statement=statement)["Items"]
        found, token = [], {}
        for _ in range(20):
            answer = db.execute_statement(Statement=statement, Limit=2, **token)
            assert len(answer["Items"]) <= 2
            found += answer["Items"]
            if "NextToken" not in answer:
                break
            token = {"NextToken": answer["NextToken"]}
        assert found == whole
    code, message = refused(
        db.execute_statement, Statement=f'SELECT * FROM "{songs}"', NextToken=token["NextToken"]
    )
    assert (code, "does not belong" in message) == ("ValidationException", True)


def test_a_path_is_answered_by_its_last_name(run, make, db):
    table = make()
    item = {"p": s("a"), "m": {"M": {"l": {"L": [n(1), n(2)]}, "x": n(3)}}}
    db.put_item(TableName=table, Item=item)
    found = run(f'SELECT m.x, m.l[1], gone FROM "{table}" WHERE p = ?', s("a"))
    assert found == [{"x": n(3), "l[1]": n(2)}]


def test_an_update_changes_one_item_that_is_there(run, make, db):
    table = make()
    item = {"p": s("a"), "n": n(1), "l": {"L": [n(1)]}, "ss": {"SS": ["a"]}, "old": n(9)}
    db.put_item(TableName=table, Item=item)
    found = run(
        f'UPDATE "{table}" SET n = n + ? SET l = list_append(l, [2]) '
        "SET ss = SET_ADD(ss, <<'b'>>) SET fresh = 'x' REMOVE old "
        "WHERE p = 'a' AND n = 1 RETURNING ALL NEW *",
        n(5),
    )
    found[0]["ss"]["SS"].sort()
    assert found == [
        {
            "p": s("a"),
            "n": n(6),
            "l": {"L": [n(1), n(2)]},
            "ss": {"SS": ["a", "b"]},
            "fresh": s("x"),
        }
    ]
    change = f"UPDATE \"{table}\" SET n = n - 1 WHERE p = 'a' RETURNING"
    assert run(f"{change} MODIFIED OLD *") == [{"n": n(6)}]
    assert run(f"{change} MODIFIED NEW *") == [{"n": n(4)}]
    assert run(f"{change} ALL OLD *")[0]["n"] == n(4)
    assert run(f"UPDATE \"{table}\" SET ss = set_delete(ss, <<'a', 'b'>>) WHERE p = 'a'") == []
    assert "ss" not in run(f'SELECT * FROM "{table}"')[0]
    absent = f"UPDATE \"{table}\" SET n = 1 WHERE p = 'absent'"
    assert refused(db.execute_statement, Statement=absent) == FAILED
    assert len(run(f'SELECT * FROM "{table}"')) == 1


def test_a_failed_condition_can_show_the_item(db, make):
    table = make()
    db.put_item(TableName=table, Item={"p": s("a"), "n": n(1)})
    with pytest.raises(db.exceptions.ConditionalCheckFailedException) as caught:
        db.execute_statement(
            Statement=f"UPDATE \"{table}\" SET n = 2 WHERE p = 'a' AND n = 7",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert caught.value.response["Item"] == {"p": s("a"), "n": n(1)}


def test_a_delete_of_nothing_succeeds_and_a_false_condition_does_not(run, make, db):
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html"""
    table = make()
    db.put_item(TableName=table, Item={"p": s("a"), "n": n(1)})
    assert run(f"DELETE FROM \"{table}\" WHERE p = 'absent' AND n = 5") == []
    false = f"DELETE FROM \"{table}\" WHERE p = 'a' AND n = 5"
    assert refused(db.execute_statement, Statement=false) == FAILED
    found = run(f"DELETE FROM \"{table}\" WHERE p = 'a' AND n = 1 RETURNING ALL OLD *")
    assert found == [{"p": s("a"), "n": n(1)}]
    assert run(f'SELECT * FROM "{table}"') == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("MERGE INTO t", f"{MALFORMED}Expected data manipulation"),
        ("SELECT * FROM {t} WHERE p = 1 foo", f"{MALFORMED}Unexpected token after expression"),
        (
            "DELETE FROM {t} WHERE p = 'a' ORDER BY p",
            f"{MALFORMED}Unexpected token after expression",
        ),
        ("SELECT * FROM {t} WHERE p = 1 # note", MALFORMED),
        ("SELECT * FROM {t} x WHERE p = 'a'", "Aliasing is not supported"),
        (
            "SELECT * FROM {t} WHERE p = 1e126",
            "Number overflow. Attempting to store a number with "
            "magnitude larger than supported range under root",
        ),
        (
            "SELECT * FROM {t} WHERE p = ?",
            "Number of parameters in request and statement don't match.",
        ),
        (
            "UPDATE {t} SET a = 1 WHERE b = 2",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE {t} SET p = 'b' WHERE p = 'a'",
            "One or more parameter values were invalid: Cannot "
            "update attribute p. This attribute is part of the key",
        ),
        (
            "SELECT * FROM {t} WHERE p = 'a' AND x < true",
            "Incorrect operand type for operator or "
            "function; operator or function: <, operand type: BOOL",
        ),
        (
            "SELECT * FROM {t} WHERE attribute_exists(a, b)",
            "Incorrect number of operands for "
            "operator or function; operator or function: attribute_exists, number of operands: 2",
        ),
        (
            "SELECT * FROM {t} ORDER BY p",
            "Must have WHERE clause in the statement when using ORDER BY clause.",
        ),
        ("UPDATE {t} SET s = set_add(s, <<>>) WHERE p = 'a'", "Empty bags are not supported"),
        (
            "EXISTS(SELECT * FROM {t} WHERE p = 'a' AND b = 1)",
            "EXISTS is only supported within ExecuteTransaction",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_awss_words(db, make, statement, message):
    table = make()
    text = statement.replace("{t}", f'"{table}"')
    assert refused(db.execute_statement, Statement=text) == ("ValidationException", message)


def test_a_table_that_is_not_there_is_not_found(db):
    code, _ = refused(db.execute_statement, Statement='SELECT * FROM "nowhere-at-all"')
    assert code == "ResourceNotFoundException"
