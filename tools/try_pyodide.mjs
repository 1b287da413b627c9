// Install the wheel of a folder into Pyodide under Node.js and run docs/examples/in_the_browser.ipynb:
//
//     npm install --no-save pyodide@314.0.6
//     node tools/try_pyodide.mjs dist
//
// NumPy for Pyodide and the other packages are downloaded.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadPyodide } from "pyodide";

const folder = process.argv[2];
const [wheel] = readdirSync(folder).filter((name) => name.endsWith(".whl"));
const notebook = JSON.parse(readFileSync(new URL("../docs/examples/in_the_browser.ipynb", import.meta.url), "utf8"));
const cells = notebook.cells.filter(({ cell_type }) => cell_type === "code").map(({ source }) => source.join(""));
const [packages] = cells.map((cell) => cell.match(/^%pip install --quiet anynet-array (.*)$/)).filter(Boolean);

const pyodide = await loadPyodide({ env: { MPLBACKEND: "agg" } });
await pyodide.loadPackage("micropip");
pyodide.FS.writeFile(`/tmp/${wheel}`, readFileSync(join(folder, wheel)));
await pyodide.pyimport("micropip").install([`emfs:/tmp/${wheel}`, ...packages[1].split(" ")]);
pyodide.runPython(cells.filter((cell) => !cell.startsWith("%")).join("\n"));
pyodide.runPython("assert run.test.accuracy > 0.9, run");
