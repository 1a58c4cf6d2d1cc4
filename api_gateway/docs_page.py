"""The API's documentation as one plain page, made from the OpenAPI document. It loads nothing from anywhere."""

from html import escape
from typing import Any

Json = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1e; }
code, .method { font-family: ui-monospace, monospace; font-size: 0.92em; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
details { border: 1px solid #ddd; border-radius: 6px; margin: 0.5rem 0; padding: 0.4rem 0.8rem; }
summary { cursor: pointer; }
.method { font-weight: 700; display: inline-block; min-width: 4.5rem; text-transform: uppercase; }
.about { color: #636366; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
td { border-top: 1px solid #eee; padding: 0.25rem 0.5rem 0.25rem 0; vertical-align: top; }
pre { background: #f5f5f7; padding: 0.6rem; border-radius: 6px; overflow-x: auto; }
@media (prefers-color-scheme: dark) {
  body { background: #1c1c1e; color: #f2f2f7; } pre { background: #2c2c2e; }
  details, h2, td { border-color: #48484a; } a { color: #64b5ff; } .about { color: #aeaeb2; }
}
"""


def docs_page(openapi: Json) -> str:
    """The page of an OpenAPI document."""
    info = openapi["info"]
    sections = "".join(_section(tag, openapi) for tag in openapi["tags"])
    schemas = "".join(_schema(name, schema) for name, schema in sorted(openapi["components"]["schemas"].items()))
    paragraphs = "".join(f"<p>{_prose(part)}</p>" for part in info["description"].split("\n\n"))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f'<h1>{escape(info["title"])} API <span class="about">{escape(info["version"])}</span></h1>{paragraphs}'
        f'<p>For machines: <a href="/openapi.json">openapi.json</a></p>{sections}<h2>Shapes</h2>{schemas}</body></html>'
    )


def _section(tag: Json, openapi: Json) -> str:
    operations = [
        _operation(method, path, item[method])
        for path, item in openapi["paths"].items()
        for method in METHODS
        if method in item and tag["name"] in item[method].get("tags", [])
    ]
    return f"<h2>{escape(tag['name'])}</h2><p>{_prose(tag['description'])}</p>{''.join(operations)}"


def _operation(method: str, path: str, operation: Json) -> str:
    rows = [
        (f"<code>{escape(row['name'])}</code>", f"{row['in']}{', required' if row.get('required') else ''}",
         f"{_type(row['schema'])} {_prose(row.get('description', ''))}")
        for row in operation.get("parameters", [])
    ]  # fmt: skip
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        rows.append(("<code>body</code>", escape(media), _type(content.get("schema", {}))))
    answers = [
        (f"<code>{escape(status)}</code>", _prose(answer.get("description", "")), _answer_type(answer))
        for status, answer in operation["responses"].items()
    ]
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><span class="method">{method}</span>'
        f'<code>{escape(path)}</code> <span class="about">{escape(operation.get("summary", ""))}</span></summary>'
        f"<p>{_prose(operation.get('description', ''))}</p>{_table(rows)}<p>Answers</p>{_table(answers)}</details>"
    )


def _schema(name: str, schema: Json) -> str:
    required = set(schema.get("required", []))
    rows = [
        (f"<code>{escape(field)}</code>", "required" if field in required else "", _type(about))
        for field, about in schema.get("properties", {}).items()
    ]
    words = ", ".join(f"<code>{escape(str(word))}</code>" for word in schema.get("enum", []))
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<p>{_prose(schema.get('description', ''))}</p><p>{words}</p>{_table(rows)}</details>"
    )


def _answer_type(answer: Json) -> str:
    content = answer.get("content", {})
    return ", ".join(_type(row["schema"]) if "schema" in row else escape(media) for media, row in content.items())


def _type(schema: Json) -> str:
    """A type in few words, with links to shapes."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(choice) for choice in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"<code>{escape(str(word))}</code>" for word in schema.get("enum", [schema.get("const")]))
    return escape(" ".join(str(schema[part]) for part in ("type", "format") if part in schema))


def _table(rows: list[tuple[str, str, str]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{cells}</table>" if rows else ""


def _prose(text: str) -> str:
    """Text with `code` in it."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
