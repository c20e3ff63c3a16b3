"""A working day of aiosalesforce against a sandbox, run by an interpreter that has it: URL and credentials as JSON.

Its addresses stay https://NAME.my.salesforce.com; the transport alone carries them to loopback.
"""

import asyncio
import json
import sys
import warnings

import httpx
from aiosalesforce import Salesforce
from aiosalesforce.auth import ClientCredentialsFlow, SoapLogin
from aiosalesforce.exceptions import AuthenticationError, SalesforceError

HOME = "https://example.my.salesforce.com"


class ToLoopback(httpx.AsyncHTTPTransport):
    def __init__(self, url):
        super().__init__()
        self.target = httpx.URL(url)

    async def handle_async_request(self, request):
        request.url = request.url.copy_with(scheme="http", host=self.target.host, port=self.target.port)
        return await super().handle_async_request(request)


async def refused(work):
    try:
        await work
    except SalesforceError as error:
        return error.error_code
    return None


async def main(told):
    seen = {}
    async with httpx.AsyncClient(transport=ToLoopback(told["instance_url"]), trust_env=False) as http:
        wrong = Salesforce(http, HOME, auth=SoapLogin(told["username"], "wrong", told["security_token"]))
        try:
            await wrong.get_limits()
        except AuthenticationError as error:
            seen["wrong_login"] = error.error_code
        soap = Salesforce(http, HOME, auth=SoapLogin(told["username"], told["password"], told["security_token"]))
        seen["limits"] = (await soap.get_limits())["DailyApiRequests"]["Max"]
        salesforce = Salesforce(http, HOME, auth=ClientCredentialsFlow(told["client_id"], told["client_secret"]))

        rows = [row async for row in salesforce.query("SELECT Id, Account.Parent.Name FROM Contact")]
        seen["read"] = len({row["Id"] for row in rows})
        seen["bad_query"] = await refused(anext(salesforce.query("SELECT Nope__c FROM Contact")))

        made = await salesforce.sobject.create("Contact", {"LastName": "Núñez", "Email": "A@Example.edu"})
        await salesforce.sobject.update("Contact", made, {"FirstName": "Ana"})
        found = await salesforce.sobject.get("Contact", made, fields=["FirstName", "LastName", "Email"])
        seen["found"] = [found[name] for name in ("FirstName", "LastName", "Email")]
        seen["invalid"] = await refused(salesforce.sobject.create("Contact", {"FirstName": "Nobody"}))
        keyed = {"LastName": "Vale", "Student_ID__c": "AIO-1"}
        seen["upserted"] = (await salesforce.sobject.upsert("Contact", "AIO-1", "Student_ID__c", dict(keyed))).created
        seen["upserted_again"] = (
            await salesforce.sobject.upsert("Contact", "AIO-1", "Student_ID__c", dict(keyed))
        ).created
        await salesforce.sobject.delete("Contact", made)
        seen["gone"] = await refused(salesforce.sobject.get("Contact", made))

        async with salesforce.composite.batch(halt_on_error=False) as batch:
            asked = batch.query("SELECT Id FROM Account LIMIT 2")
            bad = batch.sobject.create("Contact", {"FirstName": "Nobody"})
        seen["batch"] = [len(asked.records), bad.status_code]
        async with salesforce.composite(all_or_none=True) as composite:
            account = composite.sobject.create("Account", {"Name": "Composite College"})
            reference = str(account.reference.id)  # orjson would write the client's own kind of text without its @{}
            contact = composite.sobject.create("Contact", {"LastName": "Ref", "AccountId": reference})
        linked = salesforce.query(f"SELECT Account.Name FROM Contact WHERE Id = '{contact.id}'")
        seen["composite"] = [row["Account"]["Name"] async for row in linked]

        records = [{"LastName": f"Bulk {n}", "Description": "a\nb"} for n in range(300)] + [{"FirstName": "None"}]
        result = await salesforce.bulk_v2.insert("Contact", records)
        seen["bulk"] = [len(result.successful_results), len(result.failed_results), len(result.unprocessed_records)]
        seen["bulk_error"] = result.failed_results[0]["sf__Error"].split(":")[0]
    return seen


warnings.simplefilter("error")
print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
