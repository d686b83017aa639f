import pytest

from cumulet.kv.space import Space

SPACE = Space(("123456789012", "eu-west-1", "sqs"))


def test_a_key_goes_into_its_space_and_comes_out():
    key = SPACE.pack(("depth", 7))
    assert key.startswith(SPACE.prefix)
    assert SPACE.unpack(key) == ("depth", 7)
    assert SPACE.sub("depth").unpack(key) == (7,)


def test_a_key_of_another_space_is_refused():
    with pytest.raises(ValueError, match="another space"):
        SPACE.unpack(Space(("123456789012", "eu-west-2", "sqs")).pack(("depth",)))


def test_a_range_holds_a_key_and_what_goes_on_from_it():
    begin, end = SPACE.range(("a",))
    assert begin <= SPACE.pack(("a",)) < end
    assert begin <= SPACE.pack(("a", "z", 1)) < end
    assert not begin <= SPACE.pack(("a\0",)) < end
    assert not begin <= SPACE.pack(("b",)) < end


def test_a_text_range_holds_texts_that_begin_alike():
    begin, end = SPACE.text_range(("k",), "pho")
    assert begin <= SPACE.pack(("k", "pho")) < end
    assert begin <= SPACE.pack(("k", "photos/1", 2)) < end
    assert not begin <= SPACE.pack(("k", "ph")) < end
    assert not begin <= SPACE.pack(("k", "phq")) < end


def test_a_space_says_where_it_is():
    assert repr(SPACE.sub(1)) == "Space(('123456789012', 'eu-west-1', 'sqs', 1))"
