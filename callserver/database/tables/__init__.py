"""The tables, one module for each area, with one metadata."""

from callserver.database.tables.accounts import (
    attempt_counters,
    devices,
    lines,
    sessions,
    softphones,
    tokens,
    users,
)
from callserver.database.tables.applicants import applicants, interviews, participants
from callserver.database.tables.audit import audit, look_ups, openings, seals
from callserver.database.tables.calls import calls, processed_events, refused_numbers
from callserver.database.tables.cases import case_history, cases, messages
from callserver.database.tables.contacts import campaign_places, contacts, imports
from callserver.database.tables.leavings import leaving_items, leavings
from callserver.database.tables.listening import forms, heard_calls, listening_intervals, listenings
from callserver.database.tables.notices import notice_questions, notices
from callserver.database.tables.operations import (
    alarm_notices,
    budgets,
    campaign_states,
    carrier_states,
    daily_counts,
    daily_refusals,
    exchange_states,
    legs_to_end,
    log_comparisons,
    log_copies,
    process_leases,
    table_rewrites,
)
from callserver.database.tables.people import (
    former_household_keys,
    former_identifiers,
    person_decisions,
)
from callserver.database.tables.role_plays import role_plays
from callserver.database.tables.rules import proposals, revisions
from callserver.database.tables.shifts import seats
from callserver.database.tables.support import support_messages, support_talks
from callserver.database.tables.suppressions import (
    contact_addresses,
    lifts,
    marks,
    register_decisions,
    register_entries,
    register_keys,
    register_matches,
    register_records,
    registers,
    suppressions,
)
from callserver.database.tables.surveys import (
    survey_decisions,
    survey_envelopes,
    survey_participants,
    survey_results,
    survey_texts,
    surveys,
)
from callserver.database.tables.training import (
    attendances,
    document_versions,
    shift_credits,
    signatures,
    training_sessions,
    training_talks,
    worked_shifts,
)
from callserver.database.tables.types import EPOCH, Instant, metadata

__all__ = [
    "EPOCH",
    "Instant",
    "alarm_notices",
    "applicants",
    "attempt_counters",
    "attendances",
    "audit",
    "budgets",
    "calls",
    "campaign_places",
    "campaign_states",
    "carrier_states",
    "case_history",
    "cases",
    "contact_addresses",
    "contacts",
    "daily_counts",
    "daily_refusals",
    "devices",
    "document_versions",
    "exchange_states",
    "former_household_keys",
    "former_identifiers",
    "forms",
    "heard_calls",
    "imports",
    "interviews",
    "leaving_items",
    "leavings",
    "legs_to_end",
    "lifts",
    "lines",
    "listening_intervals",
    "listenings",
    "log_comparisons",
    "log_copies",
    "look_ups",
    "marks",
    "messages",
    "metadata",
    "notice_questions",
    "notices",
    "openings",
    "participants",
    "person_decisions",
    "process_leases",
    "processed_events",
    "proposals",
    "refused_numbers",
    "register_decisions",
    "register_entries",
    "register_keys",
    "register_matches",
    "register_records",
    "registers",
    "revisions",
    "role_plays",
    "seals",
    "seats",
    "sessions",
    "shift_credits",
    "signatures",
    "softphones",
    "support_messages",
    "support_talks",
    "suppressions",
    "survey_decisions",
    "survey_envelopes",
    "survey_participants",
    "survey_results",
    "survey_texts",
    "surveys",
    "table_rewrites",
    "tokens",
    "training_sessions",
    "training_talks",
    "users",
    "worked_shifts",
]
