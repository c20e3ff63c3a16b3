"""Salesforce and Mainstay as real HTTP servers on loopback, for tests and demo mode only."""
