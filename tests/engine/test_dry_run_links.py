"""A dry run sees that rows of one file may be one person, as the import and every dial after it do."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callserver.adapters.config_folder import load
from callserver.cli.invented_data import import_registers
from callserver.database.store import AnyStore
from callserver.engine.context import Rules
from callserver.engine.lists import dry_run, eligibility, importer
from callserver.engine.lists.import_order import ImportOrder

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
RULES = Rules(load(Path(__file__).parents[2] / "config"))
KANVAS = RULES.campaign("kanvas")
HEAD = "ref;navn;telefon;adresse;født;kilde;Ring ikke\n"
ANNA = "R0;Anna Holm;32200000;Lynvej 1, 1. tv;1980-01-01;gade;ja\n"


NOBODY = ";Anna Holm;;Lynvej 1, 1. tv;1980-01-01;gade;ja\n"


@pytest.mark.parametrize(
    ("said", "other", "refused"),
    [
        (NOBODY, "R1;A. Holm;32200001;LYNVEJ 1 1.tv;1980-01-01;gade;\n", True),
        (NOBODY, "R1;Bo Lind;32200001;Lynvej 1, 1. tv;1980-01-01;gade;\n", False),
        (NOBODY, "R1;Anna Holm;32200001;Lynvej 2;1980-01-01;gade;\n", False),
        # Perhaps the same person.
        (ANNA, "R1;A. Holm;32200001;LYNVEJ 1 1.tv;1980-01-01;gade;\n", True),
        (ANNA, "R1;Bo Lind;32200000;;1980-01-01;gade;\n", True),  # at the same number
        (ANNA, "R1;Bo Lind;32200001;Lynvej 1, 1. tv;1980-01-01;gade;\n", False),  # lives there too
        (ANNA, "R1;Anna Holm;32200001;Lynvej 2;1980-01-01;gade;\n", False),
    ],
)
@pytest.mark.parametrize("is_listed", [False, True], ids=["new", "listed before"])
def test_an_opt_out_in_the_file_reaches_other_rows(
    store: AnyStore, said: str, other: str, refused: bool, is_listed: bool
) -> None:
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        if is_listed:
            listed = importer.stage(
                tx, ImportOrder(KANVAS, (HEAD + other).encode(), {}), NOW.date()
            )
            importer.write(listed, NOW, by="test")
        order = ImportOrder(KANVAS, (HEAD + said + other).encode(), {})
        staged = importer.stage(tx, order, NOW.date())
        before = dry_run.dry_run(staged, RULES, b"a key", NOW)
        importer.write(staged, NOW, by="test")
        after = eligibility.tally(tx, RULES, b"a key", KANVAS, NOW)
        assert before == after
        assert before[eligibility.ALLOWED] == (0 if refused else 1)
        tx.rollback()
