"""Keys of signed notes."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.crypto.note_keys import Algorithm, Cosigner, MalformedKey, NoteSigner, NoteVerifier

SEED = bytes(range(32))
TEXT = b"medhub/log/00\n1\nAAAA\n"

# The example key of the signed note format's reference implementation.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_a_published_foreign_key_is_read_and_printed_unchanged() -> None:
    """The reference implementation's example key has the id and text that it says."""
    verifier = NoteVerifier.from_vkey(PETER)

    assert (verifier.name, verifier.key_id.hex()) == ("PeterNeumann", "c74f20a3")
    assert verifier.vkey == PETER


def test_a_signature_holds_for_its_text_and_key_only() -> None:
    """A note signature is plain Ed25519 over the text."""
    signer, stranger = NoteSigner("log", SEED), NoteSigner("log", SEED[::-1])

    signature = signer.sign(TEXT)

    assert signer.verifier.verify(TEXT, signature)
    assert not signer.verifier.verify(TEXT + b"\n", signature)
    assert not signer.verifier.verify(TEXT, signature + b"\0")
    assert not signer.verifier.verify(TEXT, b"")
    assert not stranger.verifier.verify(TEXT, signature)
    assert signer.key_id != stranger.key_id


def test_a_cosignature_says_when() -> None:
    """A witness signs the header, the time and the text, as c2sp.org/tlog-cosignature says."""
    witness = Cosigner("witness", SEED, lambda: 1_700_000_000)

    signature = witness.sign(TEXT)

    public = Ed25519PublicKey.from_public_bytes(witness.verifier.public)
    public.verify(signature[8:], b"cosignature/v1\ntime 1700000000\n" + TEXT)
    assert signature[:8] == (1_700_000_000).to_bytes(8)
    assert witness.verifier.algorithm is Algorithm.COSIGNATURE
    assert witness.verifier.verify(TEXT, signature)
    assert not witness.verifier.verify(TEXT, bytes(8) + signature[8:])
    assert not witness.verifier.verify(TEXT, signature[8:])
    assert NoteVerifier.from_vkey(witness.verifier.vkey) == witness.verifier


def test_one_seed_has_another_id_under_another_name_or_algorithm() -> None:
    """The id covers name and algorithm, so a signature cannot be passed on under another."""
    ids = {
        NoteSigner("log", SEED).key_id,
        NoteSigner("gol", SEED).key_id,
        Cosigner("log", SEED, lambda: 0).key_id,
    }

    assert len(ids) == 3


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "log",
        "log+00000000+",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("Peter", "Paul"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER[:-4],
        PETER.replace("+ARpc", "+AhpC"),
        PETER + "\n",
    ],
)
def test_a_malformed_vkey_is_refused(vkey: str) -> None:
    """A vkey has one spelling, and its id must be right."""
    with pytest.raises(MalformedKey):
        NoteVerifier.from_vkey(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\n"])
def test_a_name_that_a_note_cannot_hold_is_refused(name: str) -> None:
    """Names stand between spaces in a note and between plus signs in a vkey."""
    with pytest.raises(MalformedKey):
        NoteSigner(name, SEED)
