from django.test import SimpleTestCase

from notifications.channels.twilio.signature import is_signed

# As published with Twilio's own libraries.
TOKEN, SIGNATURE = "12345", "RSOYDt4T1cUTdK1PDd93/VVr8B8="
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": ["CA1234567890ABCDE"],
    "Digits": ["1234"],
    "From": ["+14158675309"],
    "To": ["+18005551212"],
    "Caller": ["+14158675309"],
}


class SignatureTests(SimpleTestCase):
    def test_it_knows_twilios_signature(self):
        self.assertTrue(is_signed(SIGNATURE, URL, FORM, TOKEN))

    def test_it_accepts_the_port_spelt_out(self):
        self.assertTrue(is_signed(SIGNATURE, URL.replace(".com/", ".com:443/"), FORM, TOKEN))

    def test_it_refuses_everything_else(self):
        cases = {
            "token": (SIGNATURE, URL, FORM, "54321"),
            "no token": (SIGNATURE, URL, FORM, ""),
            "address": (SIGNATURE, URL + "&x=1", FORM, TOKEN),
            "form": (SIGNATURE, URL, {**FORM, "Digits": ["1"]}, TOKEN),
            "further field": (SIGNATURE, URL, {**FORM, "X": ["1"]}, TOKEN),
            "none": ("", URL, FORM, TOKEN),
            "no ASCII": ("ü\ud800", URL, FORM, TOKEN),
        }
        for name, case in cases.items():
            with self.subTest(name):
                self.assertFalse(is_signed(*case))
