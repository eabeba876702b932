import json as _j
_dumps, _loads = _j.dumps, _j.loads
json = type("json", (), {"encode": staticmethod(lambda v: _dumps(v, separators=(",", ":"), ensure_ascii=False)), "decode": staticmethod(_loads)})
