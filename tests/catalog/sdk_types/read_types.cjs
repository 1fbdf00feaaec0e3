// Writes requests.json from the type declarations of Auth0's SDK for Node: operations and names of fields, nothing else.
//
//   mkdir newest before && npm --prefix newest install auth0@7.1.0 typescript@5 && npm --prefix before install auth0@6.4.0
//   node read_types.cjs newest before > requests.json
//
// Where several packages are named, an operation is read from the first that has it.
const fs = require("fs");
const path = require("path");
const folders = process.argv.slice(2);
const ts = require(path.resolve(folders[0], "node_modules/typescript"));

/** Returns the declarations of every client class of the Management API. */
function clients(folder) {
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const place = path.join(folder, entry.name);
    return entry.isDirectory() ? clients(place) : entry.name === "Client.d.ts" ? [place] : [];
  });
}

/** Returns which operation each method of a client class sends. */
function sent(code) {
  const pattern = /(?:\n {4}(?:__)?(\w+)\([^)]*\) \{)|url: core\.url\.join\([\s\S]*?Default, (["`])(.*?)\2\),\s*method: "(\w+)"/g;
  const operations = {};
  let method;
  for (const [, name, , place, verb] of code.matchAll(pattern)) {
    if (name) method = name;
    else operations[method] = `${verb} /${place.replace(/\$\{.*?\}/g, "{}")}`;
  }
  return operations;
}

const isObject = (type) => (type.flags & ts.TypeFlags.Object) !== 0 && !["Date", "Blob", "File"].includes(type.symbol?.name);

/** Puts the fields of a type into a tree of names; a name `*` stands for any. */
function read(checker, type, node, tree, above) {
  if (type.isUnion()) return type.types.forEach((one) => read(checker, one, node, tree, above));
  if (!isObject(type)) return;
  if (checker.isArrayType(type)) return read(checker, checker.getTypeArguments(type)[0], node, tree, above);
  const names = [type.aliasSymbol, type.symbol].filter((name) => name && name.name !== "__type");
  if (names.some((name) => above.includes(name))) return;
  if (type.getStringIndexType()) tree["*"] ??= {};
  for (const field of checker.getPropertiesOfType(type)) {
    read(checker, checker.getTypeOfSymbolAtLocation(field, node), node, (tree[field.name] ??= {}), [...above, ...names]);
  }
}

/** Returns a tree in the notation of the catalog's field tables. */
function table(tree) {
  const fields = Object.keys(tree).sort().map((name) => (Object.keys(tree[name]).length ? `${name}{${table(tree[name])}}` : name));
  return fields.join(" ");
}

const operations = {};
const sources = [];
for (const folder of folders) {
  const root = path.resolve(folder, "node_modules/auth0");
  sources.push(`auth0 ${JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")).version}`);
  const files = clients(path.join(root, "dist/cjs/management/api/resources"));
  const program = ts.createProgram(files, { strict: true, skipLibCheck: true, types: [], lib: ["lib.es2020.d.ts", "lib.dom.d.ts"] });
  const checker = program.getTypeChecker();
  const found = {};
  for (const file of files) {
    const named = sent(fs.readFileSync(file.replace(".d.ts", ".js"), "utf8"));
    const classes = program.getSourceFile(file).statements.filter(ts.isClassDeclaration);
    for (const method of classes.flatMap((one) => one.members).filter(ts.isMethodDeclaration)) {
      const operation = named[method.name.getText()];
      const request = method.parameters.find((parameter) => parameter.name.getText() === "request");
      if (!operation) continue;
      const tree = (found[operation] ??= {});
      // What a GET takes stands in its query.
      if (request) read(checker, checker.getTypeAtLocation(request), request, tree, []);
    }
  }
  for (const [operation, tree] of Object.entries(found)) operations[operation] ??= tree;
}
const byPath = Object.keys(operations).sort((one, other) => one.split(" ")[1].localeCompare(other.split(" ")[1]) || one.localeCompare(other));
const lines = byPath.map((name) => `${JSON.stringify(name)}: ${JSON.stringify(table(operations[name]))}`);
const source = `types of the npm package ${sources.join(", and where it lacks an operation of ")}`;
console.log(`{\n"source": ${JSON.stringify(source)},\n"operations": {\n${lines.join(",\n")}\n}\n}`);
