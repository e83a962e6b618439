// Types from the OpenAPI document, and a tour compiled against them.
// Arguments: the folder of the packages, the document, the server, an administrator's token.
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const [folder, document, address, token] = process.argv.slice(2);
const run = (program, ...args) => {
  try {
    return execFileSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf-8" });
  } catch (error) {
    console.error(error.stdout, error.stderr);
    process.exit(1);
  }
};
const modules = path.join(folder, "node_modules");
fs.copyFileSync(path.join(__dirname, "generated_tour.mts"), path.join(folder, "tour.mts"));
run(path.join(modules, "openapi-typescript", "bin", "cli.js"), document, "-o", path.join(folder, "api.ts"));
const options = ["--strict", "--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022"];
run(path.join(modules, "typescript", "bin", "tsc"), ...options, "--lib", "es2023,dom,dom.iterable", "tour.mts");
console.log(run(path.join(folder, "tour.mjs"), address, token).trim());
