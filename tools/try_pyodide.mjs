// Install the wheel of a folder into Pyodide under Node.js and run the example of docs/browser.md:
//
//     npm install --no-save pyodide@0.29.3
//     node tools/try_pyodide.mjs dist
//
// NumPy for Pyodide and the other packages are downloaded.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadPyodide } from "pyodide";

const folder = process.argv[2];
const [wheel] = readdirSync(folder).filter((name) => name.endsWith(".whl"));
const page = readFileSync(new URL("../docs/browser.md", import.meta.url), "utf8");
const example = page.match(/^```python\n(.*?)^```/ms)[1];

const pyodide = await loadPyodide();
await pyodide.loadPackage("micropip");
pyodide.FS.writeFile(`/tmp/${wheel}`, readFileSync(join(folder, wheel)));
await pyodide.pyimport("micropip").install(`emfs:/tmp/${wheel}`);
pyodide.runPython(example);
pyodide.runPython("assert run.history[-1].val_accuracy > 0.9, run");
