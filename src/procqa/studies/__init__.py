"""The paper's claims and open questions as experiments: each study is a statement, and one command runs it."""

from procqa.studies import c2, c3, e1, e2, e3, q2, q3, recipe
from procqa.studies.statement import Study

STUDIES: dict[str, Study] = {module.STUDY.name: module.STUDY for module in (e1, e2, e3, q2, q3, c2, c3, recipe)}
"""Every study by name, in the order of the report."""

NAMES: dict[str, str] = {
    name: study.name for study in STUDIES.values() for name in (study.name, *map(str.lower, study.answers))
}
"""The study of each name that it may be asked for by: its own, and those of the questions that it answers."""
