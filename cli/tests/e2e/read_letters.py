"""Reads letters as other people's software does: dkimpy and Python's email package.

Arguments: a directory of messages (*.eml), and a JSON file of the TXT records that are published.
Ends with an error at the first thing that is not as it should be; writes each letter's HTML beside it.
"""

import email
import email.policy
import json
import pathlib
import sys

import dkim

LONGEST_LINE = 998  # RFC 5322, section 2.1.1, without CRLF
LONGEST_HEADER_LINE = 78


def check(path, records):
    raw = path.read_bytes()
    assert not set(raw.replace(b"\r\n", b"")) & {13, 10}, "a bare CR or LF"
    head = raw.split(b"\r\n\r\n", 1)[0]
    for line in raw.split(b"\r\n"):
        assert len(line) <= LONGEST_LINE, line
    for line in head.split(b"\r\n"):
        assert len(line) <= LONGEST_HEADER_LINE, line

    letter = email.message_from_bytes(raw, policy=email.policy.default)
    for part in letter.walk():
        assert not part.defects, part.defects
        for name, value in part.items():
            assert not value.defects, (name, value.defects)
    for name in ["Date", "From", "To", "Subject", "Message-ID", "Feedback-ID", "MIME-Version"]:
        assert len(letter.get_all(name, [])) == 1, name
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe"] is None
    assert letter["Date"].datetime is not None
    kinds = [part.get_content_type() for part in letter.iter_parts()]
    assert kinds == ["text/plain", "text/html"], kinds
    text, html = (part.get_content() for part in letter.iter_parts())
    assert letter["Message-ID"] and text.strip() and html.strip()
    path.with_name(path.stem + ".html").write_text(html, encoding="utf-8")

    signatures = len(letter.get_all("DKIM-Signature", []))
    assert signatures == 2, signatures

    def published(name, timeout=5):
        return records.get(name.decode().rstrip("."), "").encode() or None

    for number in range(signatures):
        # Each verification reads the message anew.
        assert dkim.DKIM(raw).verify(idx=number, dnsfunc=published), number
        changed = raw.replace(b"\r\n\r\n", b"\r\n\r\nPS: pay here\r\n", 1)
        assert not verifies(changed, number, published)


def verifies(message, number, published):
    try:
        return dkim.DKIM(message).verify(idx=number, dnsfunc=published)
    except dkim.DKIMException:
        return False


def main():
    directory, records = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    letters = sorted(directory.glob("*.eml"))
    for path in letters:
        try:
            check(path, records)
        except Exception as error:
            sys.exit(f"{path.name}: {type(error).__name__}: {error}")
    print(len(letters))


main()
