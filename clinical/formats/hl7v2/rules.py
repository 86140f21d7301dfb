"""The checks made on messages, each with its id, its HL70357 code and its default policy.

Strict by default breaks ingestion: an audited strict receiver refused one real message in
seven. So the GENERIC profile warns about what it can live with, and rejects only what would
make the message's meaning a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from clinical.domain.hl7_findings import Condition, Finding, Place
from clinical.domain.ins import InsFault


class Policy(Enum):
    """What an endpoint does about a broken rule."""

    OFF = "off"
    WARN = "warn"
    REJECT = "reject"


class UnsupportedAs(Enum):
    """How a kind of message that is not supported is refused: plain HL7 says AR, ANS says AE."""

    AR = "AR"
    AE = "AE"


@dataclass(frozen=True, slots=True)
class Rule:
    """One check: `meaning` is sent to the sender in ERR-8, so it never quotes a message."""

    id: str
    condition: Condition
    default: Policy
    meaning: str


# A message that is wrong in more places is wrong as a whole; each finding is kept in a row.
MOST_FINDINGS: Final = 100

_C = Condition
_WARN, _REJECT = Policy.WARN, Policy.REJECT

# Checks of what is around a message: its frame, its size, and whether it could be handed on.
FRAMES: Final = frozenset({"frame.not-ended", "message.size", "message.given-up"})

# Checks whose breach leaves nothing to read; the answer is AR whatever else is known.
UNREADABLE: Final = frozenset(
    {
        "charset.unknown",
        "charset.switching",
        "charset.utf16",
        "charset.undecodable",
        "message.nul",
        "message.header",
        "message.delimiters",
        *FRAMES,
    }
)

# Checks that no endpoint may relax: past them there would be nothing to apply, or something would
# be dropped or cut, and the sender would be told that all is well.
FIXED: Final = frozenset(
    {
        "charset.utf16",
        "message.nul",
        "message.header",
        "message.delimiters",
        *FRAMES,
        "message.parts",
        "message.text-length",
        "msh.field-length",
        "msh9.type",
        "msh9.event",
        "msh10.required",
        "pid.required",
        "pid3.required",
        "cx.count",
        "mrg.required",
        "mrg1.required",
        "obr.required",
        "obx5.size",
    }
)

_ALL: Final = (
    Rule("charset.unknown", _C.INTERNAL, _REJECT, "The charset in MSH-18 is not known."),
    Rule("charset.switching", _C.INTERNAL, _REJECT, "Charset switching is not supported."),
    Rule("charset.utf16", _C.INTERNAL, _REJECT, "UTF-16 and UTF-32 are not supported."),
    Rule(
        "charset.undecodable", _C.INTERNAL, _WARN, "Bytes are not valid in the charset of MSH-18."
    ),
    Rule("charset.ascii", _C.INTERNAL, _WARN, "Bytes above 127 in a message declared ASCII."),
    Rule("charset.utf8-undeclared", _C.INTERNAL, _WARN, "UTF-8 in a message declared ISO 8859."),
    Rule(
        "charset.windows-1252", _C.INTERNAL, _WARN, "Windows-1252 in a message declared ISO 8859."
    ),
    Rule("frame.not-ended", _C.INTERNAL, _REJECT, "The message was begun and not ended."),
    Rule("message.size", _C.INTERNAL, _REJECT, "The message is too large."),
    Rule("message.given-up", _C.INTERNAL, _REJECT, "The receiver could not take the message in."),
    Rule("message.nul", _C.INTERNAL, _REJECT, "The message holds a NUL byte."),
    Rule("message.header", _C.INTERNAL, _REJECT, "The message does not begin with MSH."),
    Rule("message.delimiters", _C.INTERNAL, _REJECT, "MSH-1 and MSH-2 are not usable."),
    Rule("message.parts", _C.SYNTAX, _REJECT, "The message has more segments than can be kept."),
    Rule("message.terminators", _C.SYNTAX, _WARN, "Segments end in more than one way."),
    Rule("message.controls", _C.DATA_TYPE, _WARN, "A name or number holds control characters."),
    Rule("message.segment-name", _C.SYNTAX, _WARN, "A line does not begin with a segment name."),
    Rule("message.text-length", _C.DATA_TYPE, _REJECT, "A value is longer than can be kept."),
    Rule("msh.field-length", _C.DATA_TYPE, _REJECT, "A header field is too long."),
    Rule("msh9.type", _C.UNSUPPORTED_MESSAGE_TYPE, _REJECT, "The message type is not supported."),
    Rule("msh9.event", _C.UNSUPPORTED_EVENT, _REJECT, "The event is not supported."),
    Rule("msh10.required", _C.REQUIRED_FIELD_MISSING, _REJECT, "A control id is required."),
    Rule("msh11.required", _C.REQUIRED_FIELD_MISSING, _WARN, "A processing id is required."),
    Rule("msh11.supported", _C.UNSUPPORTED_PROCESSING_ID, _REJECT, "The processing id is refused."),
    Rule(
        "msh11.production", _C.UNSUPPORTED_PROCESSING_ID, _WARN, "It is for training or debugging."
    ),
    Rule("msh12.required", _C.REQUIRED_FIELD_MISSING, _WARN, "A version is required."),
    Rule("msh12.supported", _C.UNSUPPORTED_VERSION, _REJECT, "The version is not supported."),
    Rule("msh15.table", _C.TABLE_VALUE_NOT_FOUND, _WARN, "MSH-15 or MSH-16 is not AL NE ER or SU."),
    Rule("evn.required", _C.SEGMENT_SEQUENCE, _WARN, "EVN is missing."),
    Rule("pid.required", _C.SEGMENT_SEQUENCE, _REJECT, "PID is missing."),
    Rule("pid.single", _C.CARDINALITY, _REJECT, "There are several PID."),
    Rule("pid3.required", _C.REQUIRED_FIELD_MISSING, _REJECT, "A patient identifier is required."),
    Rule("pid3.in-pid2", _C.SYNTAX, _WARN, "The patient identifier stands in PID-2."),
    Rule("cx.count", _C.CARDINALITY, _REJECT, "A field has more identifiers than can be kept."),
    Rule("cx.value", _C.REQUIRED_FIELD_MISSING, _WARN, "An identifier has no value."),
    Rule(
        "cx.issuer", _C.REQUIRED_FIELD_MISSING, _WARN, "An identifier has no assigning authority."
    ),
    Rule("pid5.required", _C.REQUIRED_FIELD_MISSING, _WARN, "A patient name is required."),
    Rule("pid8.table", _C.TABLE_VALUE_NOT_FOUND, _WARN, "The sex is not in HL70001."),
    Rule("pid30.table", _C.TABLE_VALUE_NOT_FOUND, _WARN, "The death indicator is not Y or N."),
    Rule("time.syntax", _C.DATA_TYPE, _WARN, "A time is not an HL7 date or time."),
    Rule("time.absurd", _C.DATA_TYPE, _WARN, "A time does not exist or is out of range."),
    Rule("pv1.required", _C.SEGMENT_SEQUENCE, _WARN, "PV1 is missing."),
    Rule("pv1-2.required", _C.REQUIRED_FIELD_MISSING, _WARN, "The patient class is missing."),
    Rule("pv1-19.required", _C.REQUIRED_FIELD_MISSING, _WARN, "The visit number is missing."),
    Rule("mrg.required", _C.SEGMENT_SEQUENCE, _REJECT, "PID and MRG do not come in pairs."),
    Rule("mrg1.required", _C.REQUIRED_FIELD_MISSING, _REJECT, "The merged identifier is missing."),
    Rule("mrg.self", _C.SYNTAX, _REJECT, "A patient cannot be merged into itself."),
    Rule("obr.required", _C.SEGMENT_SEQUENCE, _REJECT, "OBR is missing before OBX."),
    Rule("obr4.required", _C.REQUIRED_FIELD_MISSING, _WARN, "The service code is missing."),
    Rule("obx3.required", _C.REQUIRED_FIELD_MISSING, _REJECT, "The observation code is missing."),
    Rule("obx2.table", _C.TABLE_VALUE_NOT_FOUND, _WARN, "The value type is missing or not known."),
    Rule("obx5.type", _C.DATA_TYPE, _WARN, "The value is not of the type in OBX-2."),
    Rule("obx5.size", _C.DATA_TYPE, _REJECT, "The attachment is larger than can be kept."),
    Rule("obx11.table", _C.TABLE_VALUE_NOT_FOUND, _WARN, "The result status is not in HL70085."),
    Rule(InsFault.SHAPE.value, _C.DATA_TYPE, _WARN, "The INS is not 15 characters of its form."),
    Rule(InsFault.KEY_MISSING.value, _C.DATA_TYPE, _WARN, "The INS has no key."),
    Rule(InsFault.KEY.value, _C.DATA_TYPE, _WARN, "The key of the INS is wrong."),
    Rule(InsFault.AUTHORITY.value, _C.TABLE_VALUE_NOT_FOUND, _WARN, "The INS has no known OID."),
    Rule(
        InsFault.TENANT_KIND.value,
        _C.TABLE_VALUE_NOT_FOUND,
        _REJECT,
        "A test INS among real ones, or the reverse.",
    ),
    Rule("ins.several", _C.CARDINALITY, _WARN, "There are several INS in use."),
)
RULES: Final[Mapping[str, Rule]] = {rule.id: rule for rule in _ALL}
# Checks that an endpoint may have reject.
RAISABLE: Final = frozenset(rule.id for rule in _ALL if rule.default is _WARN)

VERSIONS: Final = frozenset(
    {"2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1"}
    | {"2.8.2", "2.9"}
)


@dataclass(frozen=True, slots=True)
class Profile:
    """An endpoint's strictness: exceptions to the default policies, and what it accepts."""

    name: str
    policies: Mapping[str, Policy] = field(default_factory=dict)
    processing_ids: frozenset[str] = frozenset("PTD")
    versions: frozenset[str] = VERSIONS
    unsupported_as: UnsupportedAs = UnsupportedAs.AR

    def __post_init__(self) -> None:
        """Refuse a policy that would silently do nothing, or relax what must not be relaxed."""
        unknown = self.policies.keys() - RULES.keys()
        if unknown:
            raise ValueError(f"no such rule: {', '.join(sorted(unknown))}")
        relaxed = {rule for rule in FIXED if self.policy(rule) is not Policy.REJECT}
        if relaxed:
            raise ValueError(f"these rules always reject: {', '.join(sorted(relaxed))}")

    def policy(self, rule: str) -> Policy:
        """What this endpoint does about a rule."""
        return self.policies.get(rule) or RULES[rule].default

    def having(self, policies: Mapping[str, Policy]) -> "Profile":
        """The same profile with further exceptions."""
        return replace(self, policies={**self.policies, **policies})


GENERIC: Final = Profile("GENERIC")


class Checks:
    """Gathers the findings of one message under one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._findings: list[Finding] = []
        self._rejected = False

    def broken(self, rule: str, place: Place | None = None, *, limit: int = 0) -> Policy:
        """Note a broken rule, unless it is off; return the policy that applies."""
        policy = self._profile.policy(rule)
        if policy is not Policy.OFF:
            rejects = policy is Policy.REJECT
            self._note(Finding(rule, RULES[rule].condition, rejects, place, limit))
        return policy

    def add(self, findings: tuple[Finding, ...]) -> None:
        """Take over findings made elsewhere."""
        for finding in findings:
            self._note(finding)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything noted so far, in order."""
        return tuple(self._findings)

    def have_rejected(self) -> bool:
        """Whether anything noted so far rejects the message."""
        return self._rejected

    def _note(self, finding: Finding) -> None:
        """Keep a finding; past the limit, only the first that rejects."""
        if len(self._findings) < MOST_FINDINGS or (finding.rejects and not self._rejected):
            self._findings.append(finding)
        self._rejected |= finding.rejects
