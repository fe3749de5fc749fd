"""The modules whose rules protect people, and the tests that say what they do; the quickest first."""

VECTORS = "tests/domain/test_vectors.py"
RULES = "tests/domain/test_rules.py"
POLICY = "tests/domain/test_policy.py"
HOURS = "tests/domain/test_hours.py"
SMALL_WORLD = "tests/domain/test_small_world.py"
LOOSENING = "tests/domain/test_loosening.py"
LOOSENING_CAMPAIGNS = "tests/domain/test_loosening_campaigns.py"
LOOSENING_PERMITS = "tests/domain/test_loosening_permits.py"
CONFIGURATION = "tests/domain/test_configuration.py"
MACHINES = "tests/domain/test_machines.py"
REGISTER = "tests/domain/test_register_match.py"
TRAINING = "tests/domain/test_training.py"
STORED_FACTS = "tests/engine/test_stored_facts.py"
GATE = "tests/engine/test_gate.py"
IMPORTER = "tests/engine/test_importer.py"
DOUBTFUL = "tests/engine/test_doubtful_lists.py"
LISTED = "tests/domain/test_listed_opt_outs.py"
OTHER_WORDS = "tests/field/test_other_words.py"
RETENTION = "tests/contract/test_retention.py"
WISHES = "tests/console/test_phoner_wishes.py"
PHONER_SHIFT = "tests/console/test_phoner_shift.py"
CONFIRMING = "tests/console/test_confirming.py"
EVERY_WAY = "tests/journeys/test_every_way_to_opt_out.py"
CHECKER = "tests/domain/test_checker.py"
BEHAVIOUR_RULES = "tests/domain/test_behaviour_rules.py"
BEHAVIOUR_CALLS = "tests/domain/test_behaviour_calls.py"
SEEDED_BUGS = "tests/journeys/test_seeded_bugs.py"
BEHAVIOUR = "tests/journeys/test_behaviour.py"

TESTS = {
    "callserver.domain.policy": (POLICY, CONFIGURATION),
    "callserver.domain.facts": ("tests/domain/test_facts.py", VECTORS),
    "callserver.domain.fact_lines": ("tests/domain/test_fact_lines.py", VECTORS),
    "callserver.domain.hours": (HOURS, VECTORS, RULES),
    "callserver.domain.suppression": (VECTORS, SMALL_WORLD, RULES),
    "callserver.domain.frequency": (VECTORS, SMALL_WORLD, RULES),
    "callserver.domain.attempt_limits": ("tests/domain/test_attempt.py",),
    "callserver.domain.legal_basis": (VECTORS, SMALL_WORLD, RULES),
    "callserver.domain.permit": ("tests/domain/test_permit.py", VECTORS, HOURS, RULES),
    "callserver.domain.reach": ("tests/domain/test_identity.py", STORED_FACTS),
    "callserver.domain.loosening": (LOOSENING, LOOSENING_CAMPAIGNS, LOOSENING_PERMITS),
    "callserver.domain.loosening_hours": (LOOSENING, LOOSENING_CAMPAIGNS, LOOSENING_PERMITS),
    "callserver.domain.loosening_tables": (LOOSENING, LOOSENING_CAMPAIGNS),
    "callserver.domain.call": (MACHINES,),
    "callserver.domain.seat": (MACHINES,),
    "callserver.domain.listening": ("tests/domain/test_listening.py",),
    "callserver.domain.identity": ("tests/domain/test_identity.py",),
    "callserver.domain.register_match": (REGISTER,),
    "callserver.domain.robinson": ("tests/domain/test_robinson.py", REGISTER),
    "callserver.domain.phone": ("tests/domain/test_phone.py", VECTORS),
    "callserver.domain.case": ("tests/domain/test_case.py",),
    "callserver.domain.case_rules": ("tests/domain/test_case.py", LOOSENING_CAMPAIGNS),
    "callserver.domain.training": (TRAINING,),
    "callserver.domain.training_rules": (
        *("tests/domain/test_training_rules.py", TRAINING, LOOSENING_CAMPAIGNS),
    ),
    "callserver.domain.commitment": ("tests/domain/test_commitment.py",),
    "callserver.domain.pseudonyms": ("tests/domain/test_commitment.py",),
    "callserver.domain.merkle": ("tests/domain/test_audit.py",),
    "callserver.domain.outcome": (
        *("tests/domain/test_outcome.py", "tests/journeys/test_endings.py", WISHES, PHONER_SHIFT),
        *("tests/console/test_phoner_scripts.py", "tests/journeys/test_not_now.py", EVERY_WAY),
    ),
    "callserver.domain.asking": ("tests/domain/test_asking.py", PHONER_SHIFT),
    "callserver.domain.subject": (
        *("tests/domain/test_subject.py", "tests/domain/test_commitment.py"),
        *("tests/domain/test_contact.py", "tests/engine/test_keys_in_entries.py", EVERY_WAY),
    ),
    "callserver.domain.contact": (*(LISTED, "tests/domain/test_contact.py", IMPORTER, DOUBTFUL),),
    "callserver.domain.opt_out_phrases": (*("tests/domain/test_opt_out_phrases.py", OTHER_WORDS),),
    "callserver.domain.opt_out_cells": (
        "tests/domain/test_opt_out_cells.py",
        LISTED,
        IMPORTER,
        DOUBTFUL,
        OTHER_WORDS,
    ),
    "callserver.domain.flag_headings": (
        "tests/domain/test_flag_headings.py",
        IMPORTER,
        DOUBTFUL,
        OTHER_WORDS,
    ),
    "callserver.domain.addresses": ("tests/domain/test_addresses.py", IMPORTER),
    "callserver.domain.names": ("tests/domain/test_names.py", "tests/domain/test_identity.py"),
    "callserver.domain.person_names": (REGISTER,),
    "callserver.domain.postal_addresses": (REGISTER,),
    "callserver.domain.line": (
        "tests/domain/test_line.py",
        "tests/engine/test_user_lines.py",
        CONFIRMING,
        PHONER_SHIFT,
    ),
    "callserver.domain.role": (
        *("tests/domain/test_role.py", "tests/console/test_roles.py"),
        "tests/console/test_confirming_accounts.py",
    ),
    "callserver.domain.leaving": (
        "tests/domain/test_leaving.py",
        "tests/console/test_leaving.py",
        LOOSENING,
    ),
    "callserver.domain.retention": (
        "tests/domain/test_retention.py",
        RETENTION,
        "tests/engine/test_retention.py",
        LOOSENING,
    ),
    "callserver.domain.survey_results": ("tests/domain/test_survey.py",),
    "callserver.domain.judging": ("tests/domain/test_judging.py", "tests/journeys/test_judge.py"),
    "callserver.domain.behaviour.call": (BEHAVIOUR_CALLS, CHECKER),
    "callserver.domain.behaviour.seat": (BEHAVIOUR_CALLS, CHECKER),
    "callserver.domain.behaviour.suppression": (BEHAVIOUR_RULES, CHECKER),
    "callserver.domain.behaviour.listening": (BEHAVIOUR_RULES, CHECKER),
    "callserver.domain.behaviour.contact": (BEHAVIOUR_RULES, CHECKER),
    "callserver.domain.behaviour.network": (BEHAVIOUR_CALLS, CHECKER),
    "callserver.domain.behaviour.checker": (CHECKER, SEEDED_BUGS, BEHAVIOUR),
    "callserver.engine.gate.gate": (
        *(GATE, "tests/journeys/test_every_reason.py"),
        *("tests/journeys/test_registers.py", "tests/engine/test_user_lines.py"),
        "tests/journeys/test_nobody_is_wronged.py::test_an_error_in_the_gate_rings_nobody",
    ),
    "callserver.engine.gate.stored_facts": (STORED_FACTS, GATE),
    "callserver.engine.gate.decisions": ("tests/engine/test_decisions.py", GATE),
    "callserver.engine.gate.availability": ("tests/engine/test_availability.py",),
    "callserver.engine.gate.explanation": ("tests/engine/test_explanation.py",),
    "callserver.engine.gate.register_needs": ("tests/engine/test_register_needs.py",),
}
