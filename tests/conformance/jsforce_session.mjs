// A working day of jsforce against a sandbox. It is told where by one JSON argument and says what it saw in JSON.
import { createRequire } from "node:module";

const [folder, told] = process.argv.slice(2);
const jsforce = createRequire(`${folder}/`)("jsforce");
const { login_url: loginUrl, username, password, security_token: securityToken } = JSON.parse(told);
const seen = {};

const refused = async (work) => {
  try {
    await work();
    return null;
  } catch (error) {
    return error.errorCode ?? error.message;
  }
};

const connection = new jsforce.Connection({ loginUrl, version: "62.0" });
seen.wrong_login = await refused(() => connection.login(username, "not the password"));
const user = await connection.login(username, password + securityToken);
seen.organization = user.organizationId;
seen.identity = (await connection.identity()).username;
seen.limits = (await connection.limits()).DailyApiRequests.Max;
seen.usage = connection.limitInfo.apiUsage.used > 0;

// Queries: pages by hand, then all of them at once, a lookup, a count, a refusal.
const first = await connection.query("SELECT Id, Name, Account.Parent.Name FROM Contact ORDER BY Id");
seen.first_page = first.records.length;
seen.total = first.totalSize;
let [read, page] = [first.records.length, first];
while (!page.done) {
  page = await connection.queryMore(page.nextRecordsUrl);
  read += page.records.length;
}
seen.read = read;
const fetched = await connection
  .query("SELECT Id FROM Contact")
  .execute({ autoFetch: true, maxFetch: 100000 });
seen.fetched = fetched.length ?? fetched.records.length;
seen.parents = first.records.filter((record) => record.Account?.Parent?.Name).length;
seen.found = (await connection.sobject("Account").find({ Name: { $like: "%" } }, ["Id", "Name"]).limit(3)).length;
seen.count = await connection.sobject("Contact").count();
seen.bad_query = await refused(() => connection.query("SELECT Nope__c FROM Contact"));

const described = await connection.describe("Contact");
seen.fields = described.fields.length;
seen.formula = described.fields.find((field) => field.name === "Sync_to_Mainstay__c").calculated;
seen.objects = (await connection.describeGlobal()).sobjects.map((sobject) => sobject.name);

// One record from its creation to its end.
const contact = connection.sobject("Contact");
const made = await contact.create({ FirstName: "Zoë", LastName: "O'Hara", Email: "Zoe@Example.edu" });
seen.created = made.success;
seen.email = (await contact.retrieve(made.id)).Email;
seen.updated = (await contact.update({ Id: made.id, LastName: "李" })).success;
seen.renamed = (await contact.retrieve(made.id)).LastName;
seen.invalid = await refused(() => contact.create({ FirstName: "Nobody" }));
seen.destroyed = (await contact.destroy(made.id)).success;
seen.gone = await refused(() => contact.retrieve(made.id));
seen.upserted = (await contact.upsert({ LastName: "Vale", Student_ID__c: "JS-1" }, "Student_ID__c")).created;
seen.upserted_again = (await contact.upsert({ LastName: "Vale", Student_ID__c: "JS-1" }, "Student_ID__c")).created;

// Collections: one bad record among good ones, and all or none.
const many = await contact.create(
  [{ LastName: "One" }, { FirstName: "No last name" }, { LastName: "Three" }],
  { allOrNone: false },
);
seen.collection = many.map((result) => result.success);
seen.collection_error = many[1].errors[0].statusCode;
const ids = many.filter((result) => result.success).map((result) => result.id);
const changed = await contact.update(ids.map((Id) => ({ Id, Department: "Physics" })));
seen.collection_updated = changed.every((result) => result.success);
seen.retrieved = (await contact.retrieve(ids)).map((record) => record.Department);
seen.collection_deleted = (await contact.destroy(ids)).every((result) => result.success);

// Bulk 2.0: records in, a query out.
connection.bulk2.pollInterval = 50;
connection.bulk2.pollTimeout = 60000;
const rows = [...Array(450).keys()].map((number) => ({
  LastName: `Bulk ${number}`,
  Description: `line 1\nline "2", ${number}`,
  Student_ID__c: `B${number}`,
}));
rows.push({ LastName: "", Description: "no last name", Student_ID__c: "B-none" });
const loaded = await connection.bulk2.loadAndWaitForResults({ object: "Contact", operation: "insert", input: rows });
seen.bulk_loaded = loaded.successfulResults.length;
seen.bulk_failed = loaded.failedResults.map((result) => result.sf__Error.split(":")[0]);
const stream = await connection.bulk2.query(
  "SELECT Id, LastName, Description FROM Contact WHERE LastName LIKE 'Bulk %' ORDER BY LastName",
);
const out = await stream.toArray();
seen.bulk_read = out.length;
seen.bulk_text = out.find((record) => record.LastName === "Bulk 7").Description;

console.log(JSON.stringify(seen));
