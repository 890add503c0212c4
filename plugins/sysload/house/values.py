"""What configuration and parameters may be: the items of plugin.json (docs/actions.md, ConfigurationItem) and values for them."""
import json


def is_number(value):
    # In Python True is a number, too.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES = {
    'string': ('a string', lambda value: isinstance(value, str)),
    'integer': ('a whole number', lambda value: is_number(value) and value % 1 == 0 and abs(value) < 2**53),
    'number': ('a number', is_number),
    'boolean': ('true or false', lambda value: isinstance(value, bool)),
    'list': ('a list of strings', lambda value: isinstance(value, list) and all(isinstance(entry, str) for entry in value)),
    'object': ('an object', lambda value: isinstance(value, dict)),
}


def problems(items, values):
    """The keys whose values do not fit, each with the reason."""
    reasons = {key: problem(items[key], value) if key in items else 'is not known' for key, value in values.items()}
    return {key: reason for key, reason in reasons.items() if reason is not None}


def problem(item, value):
    """Why a value does not fit, or None; of a secret's value the reason says nothing."""
    words, fits = TYPES[item['type']]
    if not fits(value):
        return f'must be {words}, not {kind_of(value, item.get("secret"))}'
    if 'options' in item and value not in item['options']:
        return f'must be one of {", ".join(map(json.dumps, item["options"]))}'
    size, what = (value, '') if is_number(value) else (len(value), 'length ') if isinstance(value, (str, list)) else (None, '')
    shown = '' if item.get('secret') else f', not {size}'
    if size is not None and size < item.get('min', size):
        return f'{what}must be at least {item["min"]}{shown}'
    if size is not None and size > item.get('max', size):
        return f'{what}must be at most {item["max"]}{shown}'
    return None


def kind_of(value, secret=False):
    if isinstance(value, str):
        return 'a string'
    if isinstance(value, (list, dict)):
        return 'a list' if isinstance(value, list) else 'an object'
    if secret and value is not None:
        return 'a boolean' if isinstance(value, bool) else 'a number'
    return json.dumps(value)


def missing(items, values):
    """The keys that need a value and have none."""
    return [key for key, item in items.items() if item.get('required') and 'default' not in item and key not in values]


def with_defaults(items, values):
    return {**{key: item['default'] for key, item in items.items() if 'default' in item}, **values}
