"""Phone numbers: E.164 (ITU), the countries allowed, masks."""

import phonenumbers
from django.conf import settings
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from core.errors import DomainError

# Somebody else may be paid for each call to these.
_REFUSED_TYPES = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.VOICEMAIL: "a voicemail access number",
}
_HOW_TO_WRITE = "Write it with a plus sign and the country code, such as +41 79 123 45 67."


def sms_number(text: str) -> str:
    """Return a number for SMS in E.164. Raises DomainError."""
    number = _parse(text)
    if phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE:
        raise _refusal("This is a landline, which receives no SMS. Add it as a number to call.")
    return _e164(number)


def voice_number(text: str) -> str:
    """Return a number for calls in E.164. Raises DomainError."""
    return _e164(_parse(text))


def mask(number: str) -> str:
    """Return the country code and the last two digits."""
    try:
        code = phonenumbers.parse(number).country_code
    except NumberParseException:
        return "•••"
    return f"+{code} ••• {number[-2:]}"


def country_of(number: str) -> str:
    """Return the ISO code of a number's country, "" if unknown."""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return ""
    return _country(parsed)


def _country(number: PhoneNumber) -> str:
    found = phonenumbers.region_code_for_number(number)
    return found or phonenumbers.region_code_for_country_code(number.country_code or 0)


def _parse(text: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(text.strip())
    except NumberParseException as error:
        raise _refusal(f"This is not a phone number. {_HOW_TO_WRITE}") from error
    if number.extension:
        raise _refusal("Numbers with an extension cannot be reached.")
    # Not is_valid_number: its tables are older than some numbers.
    if not phonenumbers.is_possible_number(number):
        raise _refusal(f"This number is too short or too long for its country. {_HOW_TO_WRITE}")
    if kind := _REFUSED_TYPES.get(phonenumbers.number_type(number)):
        raise _refusal(f"This is {kind}, which is not called or texted.")
    country = _country(number)
    if settings.SMS_COUNTRIES and country not in settings.SMS_COUNTRIES:
        raise _refusal(
            f"Numbers of this country ({country}) are not allowed here; an operator can add it to SMS_COUNTRIES."
        )
    return number


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refusal(message: str) -> DomainError:
    return DomainError(message, field="address", code="invalid_number")
