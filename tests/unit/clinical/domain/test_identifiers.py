"""Numbers, and which of them an organization accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.hl7 import Identifier, Issuer
from clinical.domain.identifiers import (
    IdentifierType,
    IdentifierUse,
    InsNotAllowedHere,
    PatientIdentifier,
    check_identifiers,
    identifier_of,
    identifiers_of,
    spelling_of,
)
from clinical.domain.ins import NIA, NIR, NIR_TEST, TenantKind
from core.crypto.blind_index import normalised
from core.errors import InvalidField
from tests.support.hl7_messages import TEST_INS

LIVE, TEST = TenantKind.PRODUCTION, TenantKind.TEST


def ins(oid: str = NIR_TEST, value: str = TEST_INS) -> PatientIdentifier:
    """An INS."""
    return PatientIdentifier(oid, IdentifierType.INS, value)


def test_a_real_ins_and_a_test_one_never_meet() -> None:
    """Each sort of organization takes its own."""
    check_identifiers((ins(),), TEST)
    check_identifiers((ins(NIR),), LIVE)
    for wrong, kind in ((ins(), LIVE), (ins(NIR), TEST)):
        with pytest.raises(InsNotAllowedHere):
            check_identifiers((wrong,), kind)


def test_the_issuer_makes_an_ins_whatever_its_type() -> None:
    """A test INS cannot slip in as a hospital's number."""
    disguised = PatientIdentifier(NIR_TEST, IdentifierType.PI, TEST_INS)

    with pytest.raises(InsNotAllowedHere):
        check_identifiers((disguised,), LIVE)


def test_a_wrong_key_is_kept_and_a_wrong_form_is_not() -> None:
    """Published INS carry wrong keys; what cannot be an INS at all is refused."""
    check_identifiers((ins(value=TEST_INS[:13] + "00"),), TEST)

    for wrong in (ins(value="123"), ins("CHU-X"), ins(value=" ")):
        with pytest.raises(InvalidField):
            check_identifiers((wrong,), TEST)


def test_one_number_in_two_spellings_stands_twice() -> None:
    """Case, spaces and width make no other number."""
    one = PatientIdentifier("CHU-X", IdentifierType.PI, "ab 1")

    with pytest.raises(InvalidField):
        check_identifiers((one, PatientIdentifier("CHU-X", IdentifierType.PI, "AB1")), LIVE)


def test_a_message_names_an_issuer_by_its_oid_first() -> None:
    """Whoever writes both forms and whoever writes the OID mean the same."""
    sent = Identifier("1", Issuer("CHU-X", "1.2.3", "ISO"), "PI")

    assert identifier_of(sent).system == "1.2.3"
    assert identifier_of(Identifier("1", Issuer("CHU-X"), "ZZ")) == PatientIdentifier(
        "CHU-X", IdentifierType.OTHER, "1"
    )
    temporary = identifier_of(Identifier(" 2 80 ", Issuer("", NIA, "ISO"), "INS"))
    assert (temporary.value, temporary.use) == ("280", IdentifierUse.TEMPORARY)


def test_what_names_nobody_is_left_out() -> None:
    """No issuer, an INS that is none, and a repetition."""
    own = Identifier("1", Issuer("CHU-X"), "PI")
    nobody = Identifier("2", Issuer(), "PI")
    not_ins = Identifier("3", Issuer("", NIR_TEST, "ISO"), "INS")

    assert identifiers_of((own, own, nobody, not_ins), TEST) == (identifier_of(own),)


def test_a_number_does_not_show_in_a_repr() -> None:
    """A repr ends in logs."""
    assert TEST_INS not in repr(ins())


@given(st.text(max_size=20))
def test_a_number_is_spelt_as_it_is_indexed(value: str) -> None:
    """Two numbers of one patient that pass for different never have the same blind index."""
    try:
        indexed = normalised(value)
    except ValueError:
        indexed = ""

    assert spelling_of(value) == indexed


def test_composed_and_decomposed_letters_make_one_number() -> None:
    """Folding the case can take a letter apart, so the normal form is taken after it too."""
    one = PatientIdentifier("CHU-X", IdentifierType.PI, "\u03b9\u0308\u0301")
    other = PatientIdentifier("CHU-X", IdentifierType.PI, "\u0390")

    with pytest.raises(InvalidField):
        check_identifiers((one, other), LIVE)
