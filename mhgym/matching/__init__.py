"""The weekly matching of patients and volunteers after a disaster (WPI 2024): data, generator, files, rounds."""

from mhgym.matching.arrivals import ArrivingWeek, Relief
from mhgym.matching.compatibility import Columns, columns, common_language, fifths
from mhgym.matching.generator import CALIBRATED, WEEKDAYS, WeekGenerator
from mhgym.matching.offers import Objectives, Offers, objectives, violations
from mhgym.matching.people import Patients, Volunteers, Week

__all__ = [
    "CALIBRATED",
    "WEEKDAYS",
    "ArrivingWeek",
    "Columns",
    "Objectives",
    "Offers",
    "Patients",
    "Relief",
    "Volunteers",
    "Week",
    "WeekGenerator",
    "columns",
    "common_language",
    "fifths",
    "objectives",
    "violations",
]
