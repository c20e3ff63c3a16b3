"""What the sandbox organisation has beside the recorded objects: the students' custom fields, User, Organization.

The custom fields of Contact are those the starter mapping names.
"""

from __future__ import annotations

from typing import Any

from workbench.simulators.salesforce.field_shapes import (
    choices,
    field_shape,
    formula,
    lookup,
    object_shape,
    owner_field,
    read_only,
    system_fields,
)

ObjectParts = tuple[dict[str, Any], list[dict[str, Any]]]


def contact_fields() -> list[dict[str, Any]]:
    return [
        field_shape("Student_ID__c", length=20, externalId=True, idLookup=True, unique=True),
        field_shape("Preferred_Name__c", length=80),
        field_shape("Language__c", length=10),
        field_shape("SMS_Status__c", label="SMS Status", length=20),
        field_shape("Web_Status__c", length=20),
        field_shape("Campus__c", "picklist", picklistValues=choices("Downtown", "North", "South", "Online")),
        field_shape("Graduation_Year__c", length=10),
        field_shape("GPA__c", "double"),
        field_shape("Enrollment_Date__c", "date"),
        field_shape("Portal__c", "url", length=255),
        field_shape("First_Generation__c", "boolean"),
        field_shape("Advisor_Notes__c", "textarea", length=32000),
        field_shape("High_School__c", length=255),
        field_shape("Do_Not_Contact__c", "boolean"),
        formula("Sync_to_Mainstay__c", "boolean", "NOT(Do_Not_Contact__c)"),
    ]


def user_object() -> ObjectParts:
    return object_shape("User", "005", changeable=False), [
        *(field for field in system_fields() if field["name"] != "IsDeleted"),
        field_shape("Username", length=80, nillable=False),
        field_shape("LastName", label="Last Name", length=80, nillable=False, compoundFieldName="Name"),
        field_shape("FirstName", label="First Name", length=40, compoundFieldName="Name"),
        read_only("Name", label="Full Name", length=121, nameField=True, nillable=False),
        field_shape("Email", "email", nillable=False),
        field_shape("Alias", length=8, nillable=False),
        field_shape("IsActive", "boolean", "Active"),
        field_shape("TimeZoneSidKey", "picklist", "Time Zone", length=40, nillable=False),
        field_shape("LocaleSidKey", "picklist", "Locale", length=40, nillable=False),
        field_shape("UserType", "picklist", "User Type", length=40),
    ]


def organization_object() -> ObjectParts:
    return object_shape("Organization", "00D", changeable=False), [
        *(field for field in system_fields() if field["name"] != "IsDeleted"),
        field_shape("Name", length=80, nillable=False, nameField=True),
        read_only("OrganizationType", "picklist", "Edition", length=40),
        read_only("InstanceName", length=5),
        read_only("IsSandbox", "boolean", "Is Sandbox"),
        read_only("NamespacePrefix", length=15),
        read_only("TrialExpirationDate", "datetime"),
        field_shape("TimeZoneSidKey", "picklist", "Time Zone", length=40),
        field_shape("LanguageLocaleKey", "picklist", "Language", length=40),
    ]


def application_object() -> ObjectParts:
    """A custom object whose contact stands behind a lookup, as an institution's own objects have it."""
    return object_shape("Application__c", "a00", "Application"), [
        *system_fields(),
        owner_field(),
        field_shape(
            "Name", label="Application Name", length=80, nameField=True, nillable=False, defaultedOnCreate=True
        ),
        lookup("Contact__c", "Contact", "Contact__r"),
        lookup("College__c", "Account", "College__r"),
        field_shape("Application_Number__c", length=20, externalId=True, idLookup=True, unique=True),
        field_shape(
            "Status__c", "picklist", restrictedPicklist=True,
            picklistValues=choices("Started", "Submitted", "Admitted", "Denied", "Enrolled"),
        ),
        field_shape("Term__c", length=40),
        field_shape("Submitted_On__c", "date"),
        field_shape("Decision_At__c", "datetime"),
        field_shape("Fee__c", "currency"),
        field_shape("Essay_Count__c", "int"),
        field_shape("Interests__c", "multipicklist", length=4099,
                    picklistValues=choices("Arts", "Business", "Health", "Science")),
        formula("Is_Open__c", "boolean", "OR(ISPICKVAL(Status__c, 'Started'), ISPICKVAL(Status__c, 'Submitted'))"),
        formula("Applicant_Email__c", "string", "Contact__r.Email", length=1300),
    ]  # fmt: skip


def record_type_object() -> ObjectParts:
    return object_shape("RecordType", "012", "Record Type", changeable=False), [
        *(field for field in system_fields() if field["name"] != "IsDeleted"),
        field_shape("Name", length=80, nillable=False, nameField=True),
        field_shape("DeveloperName", label="Record Type Name", length=80, nillable=False),
        field_shape("SobjectType", "picklist", "SObject Type", length=40, nillable=False),
        field_shape("IsActive", "boolean", "Active"),
    ]


def custom_object(name: str, key_prefix: str, label: str | None = None) -> ObjectParts:
    """An object an institution or a package made, with its system fields only; its name is its id unless told."""
    return object_shape(name, key_prefix, label), [
        *system_fields(),
        owner_field(),
        field_shape("Name", length=80, nameField=True, nillable=False, defaultedOnCreate=True),
    ]
