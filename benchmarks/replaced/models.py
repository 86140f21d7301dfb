"""Patients and their identifiers. The benchmark makes the tables."""

from django.db import models


class Patient(models.Model):
    """A patient of one organization."""

    id = models.UUIDField(primary_key=True)
    organization_id = models.UUIDField()
    birth_name = models.TextField()
    used_name = models.TextField()
    birth_given_names = models.TextField()
    first_birth_given_name = models.TextField()
    birth_date = models.DateField()
    sex = models.TextField()
    identity_status = models.TextField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    revision = models.IntegerField()

    class Meta:
        """Where it is."""

        managed = False
        db_table = "patient"


class PatientIdentifier(models.Model):
    """A number of a patient."""

    id = models.UUIDField(primary_key=True)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="identifiers")
    position = models.IntegerField()
    system = models.TextField()
    type = models.TextField()
    value = models.TextField()
    use = models.TextField()

    class Meta:
        """Where it is, and in which order it is read."""

        managed = False
        db_table = "patient_identifier"
        ordering = ("position",)
