/** What a new script begins with. Each is a program as it stands, and shows what a header says. A run calls `main`. */
export const TEMPLATES = [
  {
    id: 'compute',
    title: 'computes something',
    note: 'no host, no secret',
    source: `# @description: Says hello
# @secrets: none

def main(name = "world"):
    return "Hello, " + name
`,
  },
  {
    id: 'fetch',
    title: 'asks a host',
    note: 'one host, no secret',
    source: `# @description: Reads a list from a host
# @secrets: none
# @hosts: api.example.com

def main():
    answer = http.get("https://api.example.com/items")
    if answer.status != 200:
        fail("api.example.com answered " + str(answer.status))
    return json.decode(answer.body)
`,
  },
  {
    id: 'secret',
    title: 'asks a host with a secret',
    note: 'one host that gets one secret',
    source: `# @description: Reads a list that needs a key
# @secrets: EXAMPLE_KEY
# @hosts: api.example.com

def main():
    key = secrets.get("EXAMPLE_KEY")
    if key == None:
        fail("EXAMPLE_KEY is not set, or was not granted")
    answer = http.get(
        "https://api.example.com/items",
        headers = {"authorization": "Bearer " + key},
    )
    return json.decode(answer.body)
`,
  },
] as const;
