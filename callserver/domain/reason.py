"""Why a dial is refused: the closed list of reasons, in the order in which they are reported.

The families are SYS, NUM, PERSON, SUP, BASIS, TIME, FREQ, CAMP, AGENT and CLI; a refusal lists all its
reasons in the order of this file. The rules are in permit.py, hours.py, suppression.py, frequency.py,
legal_basis.py and phone.py, the texts in the catalogues.
"""

from enum import StrEnum


class Reason(StrEnum):
    """One rule that refused the dial."""

    SYS_ERROR = "SYS_ERROR"  # an error during the decision: the gate fails closed
    SYS_CLOCK = "SYS_CLOCK"
    SYS_SUPPRESSION_STALE = "SYS_SUPPRESSION_STALE"
    SYS_AUDIT_DOWN = "SYS_AUDIT_DOWN"
    SYS_POLICY_MISSING = "SYS_POLICY_MISSING"
    SYS_CALENDAR_MISSING = "SYS_CALENDAR_MISSING"
    SYS_EXTLIST_STALE = "SYS_EXTLIST_STALE"

    NUM_EMERGENCY = "NUM_EMERGENCY"
    NUM_SHORTCODE = "NUM_SHORTCODE"
    NUM_INVALID = "NUM_INVALID"
    NUM_PREMIUM = "NUM_PREMIUM"
    NUM_TOLLFREE = "NUM_TOLLFREE"
    NUM_CORPORATE_70 = "NUM_CORPORATE_70"
    NUM_M2M = "NUM_M2M"
    NUM_OWN = "NUM_OWN"
    NUM_REGION = "NUM_REGION"
    NUM_REASSIGNED = "NUM_REASSIGNED"
    NUM_BAD = "NUM_BAD"  # the provider reported that this number cannot be dialed
    NUM_REFUSED = "NUM_REFUSED"  # the carrier refused it: set aside until a supervisor releases it

    PERSON_ERASED = "PERSON_ERASED"
    PERSON_DECEASED = "PERSON_DECEASED"
    PERSON_MINOR = "PERSON_MINOR"
    PERSON_INCAPABLE = "PERSON_INCAPABLE"
    PERSON_VULNERABLE = "PERSON_VULNERABLE"
    PERSON_IN_CROWD = "PERSON_IN_CROWD"  # too many at the number or address to tell people apart
    PERSON_OUTCOME_MISSING = "PERSON_OUTCOME_MISSING"  # what they said in a talk is not known

    SUP_NUMBER = "SUP_NUMBER"
    SUP_PERSON = "SUP_PERSON"
    SUP_HOUSEHOLD = "SUP_HOUSEHOLD"
    SUP_HASH = "SUP_HASH"
    SUP_COMPLAINT = "SUP_COMPLAINT"
    SUP_PURPOSE = "SUP_PURPOSE"
    SUP_CONSENT_REVOKED = "SUP_CONSENT_REVOKED"
    SUP_CONSENT_MISSING = "SUP_CONSENT_MISSING"
    SUP_CONSENT_UNPROVEN = "SUP_CONSENT_UNPROVEN"
    SUP_EXTERNAL = "SUP_EXTERNAL"
    SUP_EXTERNAL_UNSURE = "SUP_EXTERNAL_UNSURE"  # may be on the register: a colleague decides

    BASIS_NO_GIFT_RELATION = "BASIS_NO_GIFT_RELATION"
    BASIS_GIFT_TOO_OLD = "BASIS_GIFT_TOO_OLD"
    BASIS_PURPOSE_MIX = "BASIS_PURPOSE_MIX"
    BASIS_SOURCE_UNKNOWN = "BASIS_SOURCE_UNKNOWN"
    BASIS_ROW_REFUSED = "BASIS_ROW_REFUSED"  # the newest row of a list about the contact

    TIME_TZ_UNKNOWN = "TIME_TZ_UNKNOWN"
    TIME_HOLIDAY = "TIME_HOLIDAY"
    TIME_CLOSED_DAY = "TIME_CLOSED_DAY"
    TIME_WEEKDAY = "TIME_WEEKDAY"
    TIME_BEFORE = "TIME_BEFORE"
    TIME_PAUSE = "TIME_PAUSE"
    TIME_AFTER = "TIME_AFTER"

    FREQ_ACTIVE_CALL = "FREQ_ACTIVE_CALL"
    FREQ_GAP = "FREQ_GAP"
    FREQ_DAY = "FREQ_DAY"
    FREQ_24H = "FREQ_24H"
    FREQ_PERIOD = "FREQ_PERIOD"
    FREQ_REFUSAL = "FREQ_REFUSAL"
    FREQ_NOT_NOW = "FREQ_NOT_NOW"
    FREQ_ABANDON_72H = "FREQ_ABANDON_72H"

    CAMP_PAUSED = "CAMP_PAUSED"
    CAMP_ABANDON_RATE = "CAMP_ABANDON_RATE"
    CAMP_NO_AGENT = "CAMP_NO_AGENT"

    AGENT_LISTEN_ONLY = "AGENT_LISTEN_ONLY"
    AGENT_NEEDS_SUPERVISOR = "AGENT_NEEDS_SUPERVISOR"
    AGENT_POLICY_NOT_ACKED = "AGENT_POLICY_NOT_ACKED"
    AGENT_LEFT = "AGENT_LEFT"

    CLI_HIDDEN = "CLI_HIDDEN"


ORDER = {reason: position for position, reason in enumerate(Reason)}
