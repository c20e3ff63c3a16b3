"""A Salesforce organisation in memory, served wire-true over HTTP: `salesforce_app(SalesforceOrg(records))`."""

from workbench.simulators.salesforce.app import salesforce_app
from workbench.simulators.salesforce.organisation import SalesforceOrg

__all__ = ["SalesforceOrg", "salesforce_app"]
