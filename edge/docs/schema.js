// Schemas: as a table of fields, and as a sample to start from.

import { el, inline, prose, words } from "./words.js";

let described = {};
export const use = (description) => { described = description; };

const nameOf = (reference) => reference.split("/").pop();
const at = (reference) => reference.split("/").slice(1).reduce((found, key) => found[key], described);
// A schema or an answer, itself or by its reference.
export const resolve = (each) => (each.$ref ? { ...at(each.$ref), ...each, $ref: undefined } : each);

function typeOf(schema) {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return resolve(schema).enum ? name.split(".").pop() : name.split(".").slice(-1)[0];
  }
  if (schema.type === "array") return `[ ${typeOf(schema.items)} ]`;
  if (schema.type === "object" && schema.additionalProperties) return `{ string: ${typeOf(schema.additionalProperties)} }`;
  return [schema.type, schema.format || (schema.contentEncoding && "base64")].filter(Boolean).join(", ");
}

const LIMITS = {
  minLength: "≥ {} characters", maxLength: "≤ {} characters", minimum: "≥ {}", maximum: "≤ {}", exclusiveMinimum: "> {}",
  exclusiveMaximum: "< {}", minItems: "≥ {} items", maxItems: "≤ {} items", pattern: "{}", "x-minimum": "≥ {}", "x-maximum": "≤ {}",
};

function limits(schema) {
  return Object.entries(LIMITS).filter(([key]) => schema[key] !== undefined)
    .map(([key, text]) => text.replace("{}", () => schema[key])).join(" · ");
}

function marks(schema) {
  const data = schema["x-medhub-data"];
  return [
    schema.readOnly && words().readOnly,
    schema["x-medhub-one-of"] && `${words().oneOf} ${schema["x-medhub-one-of"]}`,
    data && words().holds[data.class] && `${words().holds[data.class]}${data.sealed ? `, ${words().sealed}` : ""}`,
  ].filter(Boolean).join(" · ");
}

export function row(name, schema, required) {
  const inner = resolve(schema.type === "array" ? schema.items : schema);
  const values = inner.enum ? el("details", {}, el("summary", {}, inner.enum.length + " ×"), prose(inner.description)) : null;
  return el("tr", {},
    el("td", {}, el("code", {}, name), required ? el("div", { class: "needed" }, words().required) : null),
    el("td", {}, prose(schema.description || (inner.enum ? "" : inner.description)),
      el("span", { class: "type" }, [typeOf(schema), limits(schema)].filter(Boolean).join(" · ")),
      el("span", { class: "soft" }, marks(schema)), values));
}

// The fields of a message; messages in them can be opened in place.
export function table(schema, depth = 0) {
  const whole = resolve(schema);
  const rows = Object.entries(whole.properties || {}).flatMap(([name, field]) => {
    const inner = field.type === "array" ? field.items : field;
    const opened = inner.properties || (inner.$ref && resolve(inner).properties);
    const made = [row(name, field, (whole.required || []).includes(name))];
    if (opened && depth < 4) {
      const lazy = el("details", {}, el("summary", {}, el("code", {}, `${name} · ${typeOf(field)}`)));
      // Built when opened: messages may hold themselves.
      lazy.addEventListener("toggle", () => lazy.children.length > 1 || lazy.append(table(inner, depth + 1)), { once: true });
      made.push(el("tr", {}, el("td", { colspan: "2" }, lazy)));
    }
    return made;
  });
  return el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, words().field), el("th", { scope: "col" }, words().meaning))), el("tbody", {}, rows));
}

export function summary(text) {
  return el("span", {}, inline(text));
}

export function sample(schema, depth = 0) {
  const whole = resolve(schema);
  if (whole.examples) return whole.examples[0];
  if (whole.const !== undefined) return whole.const;
  if (whole.enum) return whole.enum.find((name) => !name.endsWith("_UNSPECIFIED")) ?? whole.enum[0];
  if (whole.type === "array") return depth > 3 ? [] : [sample(whole.items, depth + 1)];
  if (whole.type === "object") return sampleObject(whole, depth);
  if (whole.format === "uuid") return crypto.randomUUID ? crypto.randomUUID() : "6f1c9a52-6c1f-4a53-9d55-0b8c1f3e7a10";
  if (whole.type === "integer" || whole.type === "number") return whole.minimum ?? 0;
  if (whole.type === "boolean") return false;
  return whole.format === "int64" ? "0" : "";
}

function sampleObject(whole, depth) {
  const taken = new Set();
  const pairs = Object.entries(whole.properties || {}).filter(([name, field]) => {
    const choice = field["x-medhub-one-of"];
    const wanted = (whole.required || []).includes(name) || depth === 0;
    if (field.readOnly || !wanted || (choice && taken.has(choice))) return false;
    if (choice) taken.add(choice);
    return true;
  });
  return Object.fromEntries(pairs.map(([name, field]) => [name, sample(field, depth + 1)]));
}
