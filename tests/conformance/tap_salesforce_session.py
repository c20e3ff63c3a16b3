"""tap-salesforce against a sandbox, run by an interpreter that has it: the sandbox's URL, then the tap's arguments.

The tap asks https://login.salesforce.com for its token, wherever the organisation is; that address alone is carried
to loopback. Everything else goes to the instance_url of the answer, as with any organisation.
"""

import sys

import requests
import tap_salesforce
from requests.adapters import HTTPAdapter

LOGIN = "https://login.salesforce.com"
SANDBOX = sys.argv[1]


class ToLoopback(HTTPAdapter):
    def send(self, request, *args, **kwargs):
        request.url = request.url.replace(LOGIN, SANDBOX, 1)
        return super().send(request, *args, **kwargs)


class Session(requests.Session):
    def __init__(self):
        super().__init__()
        self.trust_env = False
        self.mount(LOGIN, ToLoopback())


requests.Session = Session
sys.argv = ["tap-salesforce", *sys.argv[2:]]
tap_salesforce.main()
