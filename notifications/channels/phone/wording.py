"""Fixed sentences of SMS and calls, in the languages that calls are spoken in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """Sentences of one language; `voice` is the provider's name of who speaks it."""

    tag: str  # BCP 47
    voice: str
    critical: str
    high: str
    medium: str
    low: str
    reply: str
    again: str
    page: str
    several: str
    all_of_them: str
    keys: str
    acknowledged_hint: str
    unknown_key: str
    no_key: str
    goodbye: str
    expired: str
    acknowledged: str
    resolved: str
    over: str

    def severity(self, word: str) -> str:
        """Return the severity in this language; an unknown word as it is."""
        return {"critical": self.critical, "high": self.high, "medium": self.medium, "low": self.low}.get(word, word)


_ENGLISH = Wording(
    tag="en-US",
    voice="Polly.Joanna",
    critical="critical",
    high="high",
    medium="medium",
    low="low",
    reply="Reply {code} A to acknowledge, {code} R to resolve",
    again="(sent again)",
    page="This is the incident response system. {severity} incident, {reference}.",
    several="This is the incident response system.",
    all_of_them="Key 1 acknowledges all of them.",
    keys="Press 1 to acknowledge, 2 to hear this again, 3 to resolve.",
    acknowledged_hint="Without a key, the next person is called.",
    unknown_key="That key does nothing here.",
    no_key="No key was pressed. Goodbye.",
    goodbye="Goodbye.",
    expired="This call is too old to answer. Open the incident instead. Goodbye.",
    acknowledged="Acknowledged. It is yours.",
    resolved="Resolved.",
    over="{reference} needs no answer any more.",
)
_GERMAN = Wording(
    tag="de-DE",
    voice="Polly.Vicki",
    critical="kritisch",
    high="hoch",
    medium="mittel",
    low="niedrig",
    reply="Antwort {code} A bestätigt, {code} R löst",
    again="(erneut gesendet)",
    page="Hier ist das System für Störfälle. Schweregrad {severity}, {reference}.",
    several="Hier ist das System für Störfälle.",
    all_of_them="Taste 1 bestätigt alle.",
    keys="Drücken Sie 1, um zu bestätigen, 2, um dies noch einmal zu hören, 3, um als gelöst zu melden.",
    acknowledged_hint="Ohne Tastendruck wird die nächste Person angerufen.",
    unknown_key="Diese Taste ist hier nicht belegt.",
    no_key="Es wurde keine Taste gedrückt. Auf Wiederhören.",
    goodbye="Auf Wiederhören.",
    expired="Dieser Anruf ist zu alt. Bitte öffnen Sie den Störfall. Auf Wiederhören.",
    acknowledged="Bestätigt. Der Störfall liegt bei Ihnen.",
    resolved="Als gelöst gemeldet.",
    over="{reference} braucht keine Antwort mehr.",
)
_FRENCH = Wording(
    tag="fr-FR",
    voice="Polly.Lea",
    critical="critique",
    high="élevée",
    medium="moyenne",
    low="faible",
    reply="Répondez {code} A pour acquitter, {code} R pour résoudre",
    again="(renvoyé)",
    page="Ici le système de gestion des incidents. Gravité {severity}, {reference}.",
    several="Ici le système de gestion des incidents.",
    all_of_them="La touche 1 les acquitte tous.",
    keys="Tapez 1 pour acquitter, 2 pour réécouter, 3 pour déclarer l'incident résolu.",
    acknowledged_hint="Sans touche, la personne suivante est appelée.",
    unknown_key="Cette touche n'a pas d'effet ici.",
    no_key="Aucune touche n'a été tapée. Au revoir.",
    goodbye="Au revoir.",
    expired="Cet appel est trop ancien. Ouvrez l'incident. Au revoir.",
    acknowledged="Acquitté. L'incident est entre vos mains.",
    resolved="Résolu.",
    over="{reference} n'attend plus de réponse.",
)
_SPANISH = Wording(
    tag="es-ES",
    voice="Polly.Lucia",
    critical="crítica",
    high="alta",
    medium="media",
    low="baja",
    reply="Responda {code} A para confirmar, {code} R para resolver",
    again="(reenviado)",
    page="Este es el sistema de respuesta a incidentes. Gravedad {severity}, {reference}.",
    several="Este es el sistema de respuesta a incidentes.",
    all_of_them="La tecla 1 los confirma todos.",
    keys="Pulse 1 para confirmar, 2 para oírlo de nuevo, 3 para darlo por resuelto.",
    acknowledged_hint="Si no pulsa ninguna tecla, se llama a la siguiente persona.",
    unknown_key="Esa tecla no hace nada aquí.",
    no_key="No se pulsó ninguna tecla. Adiós.",
    goodbye="Adiós.",
    expired="Esta llamada es demasiado antigua. Abra el incidente. Adiós.",
    acknowledged="Confirmado. El incidente es suyo.",
    resolved="Resuelto.",
    over="{reference} ya no espera respuesta.",
)
_JAPANESE = Wording(
    tag="ja-JP",
    voice="Polly.Mizuki",
    critical="緊急",
    high="高",
    medium="中",
    low="低",
    reply="{code} A と返信すると確認、{code} R で解決",
    again="（再送）",
    page="インシデント管理システムです。重大度は{severity}、{reference}です。",
    several="インシデント管理システムです。",
    all_of_them="1を押すと、すべてを確認済みにします。",
    keys="確認するには1、もう一度聞くには2、解決済みにするには3を押してください。",
    acknowledged_hint="キーが押されない場合は、次の担当者に電話します。",
    unknown_key="そのキーは使えません。",
    no_key="キーが押されませんでした。電話を切ります。",
    goodbye="失礼いたします。",
    expired="この電話は古いため、応答できません。インシデントの画面を開いてください。失礼いたします。",
    acknowledged="確認しました。このインシデントはあなたの担当になりました。",
    resolved="解決済みにしました。",
    over="{reference}への応答は、もう必要ありません。",
)
_BY_LANGUAGE = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH, "ja": _JAPANESE}


def wording(language: str) -> Wording:
    """Return the sentences of a language (`de`, `de-AT`), or the English ones."""
    return _BY_LANGUAGE.get(language.lower().replace("_", "-").partition("-")[0], _ENGLISH)
