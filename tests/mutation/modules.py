"""The modules whose rules protect people, and the tests that say what they do; the quickest first."""

VECTORS = "tests/domain/test_vectors.py"
RULES = "tests/domain/test_rules.py"
HOURS = "tests/domain/test_hours.py"
SMALL_WORLD = "tests/domain/test_small_world.py"
LOOSENING = "tests/domain/test_loosening.py"
CONFIGURATION = "tests/domain/test_configuration.py"
REACH = "tests/engine/test_reach.py"
GATE = "tests/engine/test_gate.py"

TESTS = {
    "callserver.domain.policy": (VECTORS, HOURS, RULES, CONFIGURATION),
    "callserver.domain.facts": (VECTORS, RULES),
    "callserver.domain.fact_lines": (VECTORS, RULES, "tests/engine/test_decisions.py"),
    "callserver.domain.hours": (HOURS, VECTORS, RULES),
    "callserver.domain.suppression": (VECTORS, SMALL_WORLD, RULES),
    "callserver.domain.frequency": (VECTORS, SMALL_WORLD, RULES),
    "callserver.domain.attempt_limits": ("tests/domain/test_attempt.py",),
    "callserver.domain.legal_basis": (VECTORS, SMALL_WORLD, RULES),
    "callserver.domain.permit": ("tests/domain/test_permit.py", VECTORS, HOURS, RULES),
    "callserver.domain.reach": ("tests/domain/test_identity.py", REACH),
    "callserver.domain.loosening": (SMALL_WORLD, LOOSENING),
    "callserver.domain.loosening_hours": (LOOSENING,),
    "callserver.domain.loosening_tables": (SMALL_WORLD, LOOSENING),
    "callserver.engine.gate.gate": (GATE, "tests/journeys/test_every_reason.py", REACH),
    "callserver.engine.gate.stored_facts": (GATE, "tests/journeys/test_every_reason.py", REACH),
    "callserver.engine.gate.decisions": ("tests/engine/test_decisions.py", GATE),
    "callserver.engine.gate.availability": ("tests/engine/test_callable_now.py", GATE),
    "callserver.engine.gate.explanation": (GATE, RULES),
    "callserver.engine.gate.register_needs": (GATE, "tests/engine/test_official_register.py"),
}
