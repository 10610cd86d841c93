// A SCIM server of SCIMMY's routers: protocol, filter and PATCH are theirs, the
// storage below is what its users write. It listens on 127.0.0.1 alone, writes
// its port as one line, and ends with its standard input.
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const token = process.env.SCIMMY_TOKEN;
const store = { Users: new Map(), Groups: new Map() };
const requests = [];
let serial = 0;

function fail(status, type, detail) {
  throw new SCIMMY.Types.Error(status, type, detail);
}

function handle(kind, resource, unique) {
  const all = store[kind];
  SCIMMY.Resources.declare(resource)
    .ingress((r, data) => {
      const before = r.id ? all.get(r.id) : undefined;
      if (r.id && !before) fail(404, null, `there is no ${r.id}`);
      const value = JSON.parse(JSON.stringify(data));
      for (const other of all.values()) {
        if (unique && other.id !== r.id && other[unique].toLowerCase() === value[unique].toLowerCase()) {
          fail(409, "uniqueness", `there is a ${value[unique]}`);
        }
      }
      const now = new Date();
      value.id = r.id ?? `${kind[0].toLowerCase()}${++serial}`;
      value.meta = { created: before?.meta.created ?? now, lastModified: now };
      all.set(value.id, value);
      return value;
    })
    .egress((r) => {
      if (r.id) return all.get(r.id) ?? fail(404, null, `there is no ${r.id}`);
      const list = [...all.values()];
      return r.filter ? r.filter.match(list) : list;
    })
    .degress((r) => {
      if (!all.delete(r.id)) fail(404, null, `there is no ${r.id}`);
    });
}

handle("Users", SCIMMY.Resources.User, "userName");
handle("Groups", SCIMMY.Resources.Group);
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);

const app = express();
// What tests read and set past the protocol.
app.get("/store", (_, res) => res.json({ requests, Users: [...store.Users.values()], Groups: [...store.Groups.values()] }));
app.put("/store/:kind/:id", express.json(), (req, res) => {
  const now = new Date();
  store[req.params.kind].set(req.params.id, { ...req.body, id: req.params.id, meta: { created: now, lastModified: now } });
  res.json({});
});
app.delete("/store/:kind/:id", (req, res) => {
  store[req.params.kind].delete(req.params.id);
  res.json({});
});
app.use((req, _, next) => {
  requests.push(`${req.method} ${req.originalUrl}`);
  next();
});
app.use("/scim", new SCIMMYRouters({
  type: "bearer",
  handler: (req) => {
    if (req.header("Authorization") !== `Bearer ${token}`) throw new Error("no such token");
    return "rosterd";
  },
}));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
