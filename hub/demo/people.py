"""Who takes part in the demonstration."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in."""

    email: str
    display_name: str
    roles: tuple[str, ...]
    # RPPS number of somebody who cares, 11 digits; empty for others.
    rpps: str = ""
    # Code of the unit they work in.
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the organization, by the code that HL7 messages name."""

    code: str
    display_name: str


@dataclass(frozen=True, slots=True)
class House:
    """One organization of the demonstration."""

    key: str
    display_name: str
    people: tuple[Person, ...]
    units: tuple[Unit, ...]


HOSPITAL = House(
    key="saint-luc",
    display_name="Hôpital Saint-Luc (démonstration)",
    people=(
        Person("admin@saint-luc.example", "Agnès Roussel", ("administrator", "auditor")),
        Person(
            "docteur@saint-luc.example", "Dr Claire Fontaine", ("doctor",), "10000000017", "CARD"
        ),
        Person("medecin@saint-luc.example", "Dr Hugo Lambert", ("doctor",), "10000000025", "URG"),
        Person("infirmier@saint-luc.example", "Yanis Perrin", ("nurse",), "", "CARD"),
        Person("facturation@saint-luc.example", "Odile Garnier", ("biller",)),
        Person("donnees@saint-luc.example", "Camille Royer", ("data_protection_officer",)),
    ),
    units=(Unit("CARD", "Cardiologie"), Unit("URG", "Urgences")),
)
CLINIC = House(
    key="tilleuls",
    display_name="Clinique des Tilleuls (démonstration)",
    people=(
        Person("admin@tilleuls.example", "Bruno Lefort", ("administrator", "auditor")),
        Person("docteur@tilleuls.example", "Dr Inès Moreau", ("doctor",), "10000000033", "MED"),
        Person("infirmier@tilleuls.example", "Paul Astier", ("nurse",), "", "MED"),
        Person("facturation@tilleuls.example", "Léa Colin", ("biller",)),
    ),
    units=(Unit("MED", "Médecine"),),
)
HOUSES = (HOSPITAL, CLINIC)
