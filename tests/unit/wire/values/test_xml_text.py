import pytest

from cumulet.wire.values.xml_text import MalformedXml, escape, local_name, parse_xml


def test_names_lose_their_space():
    root = parse_xml(b'<a xmlns="urn:x"><b/></a>')
    assert local_name(root.tag) == "a"
    assert [local_name(child.tag) for child in root] == ["b"]


@pytest.mark.parametrize("body", [b"", b"text", b"<a>", b"<a/>x", b"<a b=c/>", b"<!DOCTYPE a><a/>"])
def test_bad_xml_is_refused(body):
    with pytest.raises(MalformedXml):
        parse_xml(body)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("plain", "plain"),
        ('<a href="x">&', "&lt;a href=&quot;x&quot;&gt;&amp;"),
        ("line\r\n\t", "line&#xd;\n\t"),
        ("\x00\x1f\uffff", "&#x0;&#x1f;&#xffff;"),
    ],
)
def test_text_is_escaped(text, told):
    assert escape(text) == told
