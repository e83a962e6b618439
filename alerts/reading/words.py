"""Words of other systems for severity and status, compared without case, accents and separators. Pure.

Fillers ("monitor", "the incident has been") are ignored, unknown words never guessed. Numbers are absent, but for 0
and 1 as a status: scales run both ways.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from alerts.updates import Action

Meaning = TypeVar("Meaning", bound=str)

LONGEST = 200
_MARKS = re.compile(r"[^\w\s]|_")
_CODE = re.compile(r"(?:sev|severity|s|p|prio|priority|urgency|impact)0?(\d)")
# On a scale with a 0, 0 and 1 are the worst: Azure, P0 and S0 of chat-ops, Google, Amazon.
_OF_CODE = {"0": "critical", "1": "critical", "2": "high", "3": "medium", "4": "low", "5": "low"}

_SEVERITIES: dict[str, tuple[str, ...]] = {
    "critical": (
        # RFC 5424 (syslog)
        "critical crit fatal emergency emerg panic alert",
        # Jira, Zendesk, Freshservice, GitLab, YouTrack, Bugzilla
        "blocker blocking showstopper urgent highest veryhigh immediate extreme",
        # Zabbix, Nagios, Icinga, Opsview, Site24x7, ManageEngine, Statuspage, Dynatrace, Elasticsearch
        "disaster catastrophic down unreachable majoroutage fulloutage servicedown availability red",
        # IPMI, Dell, VMware, Meraki, Checkmk, chat-ops
        "nonrecoverable fatalerror page paging deadly severityone",
        # German, French, Spanish, Portuguese, Italian
        "kritisch katastrophe notfall blockierend hochste dringend critique desastre catastrophe urgence bloquant",
        "critico critica catastrofe urgente bloqueante emergencia emergenza bloccante massima laplushaute",
        # Japanese and Chinese
        "致命的な障害 致命的 クリティカル 致命 緊急 危険 最高 最優先 紧急 严重 嚴重 灾难 災難 危急 特急 非常紧急",
        "致命错误",
    ),
    "high": (
        # X.733 (Netcool, BMC, OpenNMS, Huawei), PagerDuty, syslog, Zabbix, Splunk
        "high error err major severe serious important significant",
        # Site24x7, ManageEngine, Statuspage, colours; Checkmk, Icinga and Nagios rank UNKNOWN above WARNING
        "trouble unknown partialoutage monitoringunavailable orange failed failure",
        "hoch schwerwiegend fehler wichtig haute eleve elevee majeur majeure erreur grave alto alta mayor errore erro",
        "重度の障害 重大 重要 高 エラー 不明 错误 錯誤 主要 高级 较高",
    ),
    "medium": (
        "medium moderate warning warn minor average normal caution attention degraded yellow amber noncritical",
        # Dynatrace, Statuspage, Alibaba, ServiceNow, Kubernetes, OpsRamp
        "performance resourcecontention customalert degradedperformance indeterminate intermediate mid",
        "mittel warnung durchschnitt moyen moyenne avertissement mineur media medio advertencia aviso",
        "avviso minore menor atencion",
        "軽度の障害 警告 中 中程度 軽微 注意 次要 一般 中级 普通 告警",
    ),
    "low": (
        "low lowest info information informational informative notice debug trace verbose none ok trivial cosmetic",
        "planning advisory suggestion notclassified undefined clear cleared green success negligible verylow minimal",
        "niedrig gering hinweis nichtklassifiziert basse bas faible mineure informations bajo baja",
        "informacion informativo basso bassa informazione baixo baixa",
        "情報 低 情報のみ 提示 信息 通知 建议 低级 未分類 未分类",
    ),
}

_STATUSES: dict[Action, tuple[str, ...]] = {
    Action.RESOLVE: (
        "0 false ok okay resolved resolve resolving closed close closing recovered recovery recover recovers",
        "recovering",
        "up normal normalized normalised clear cleared clears inactive healthy good green fixed ended end ends success",
        "passed fine solved done completed complete finished cancelled canceled cancel dismissed dismiss archived",
        # Consul, Sensu, classic Azure, Statuspage, jobs, PRTG, Alerta
        "passing pass deactivated deactivate restored restore operational fullyoperational online successful succeeded",
        "downended warningended errorended unusualended completedsuccessfully allclear nominal stable",
        # AppDynamics, OCI, Datadog, Dynatrace, Netdata, SolarWinds, SignalFx, Coralogix, Oracle EM
        "policyclosewarning policyclosecritical policycanceledwarning policycanceledcritical healthruleclosewarning",
        "healthruleclosecritical policycanceled policyclose firingtook alarmtook nodatarecovered merged removed",
        "reset deleted delete",
        "connected reachable available responding alive running working rectified remediated withdrawn expunged",
        "noproblem noproblems noalarm noalert noissue noissues noerror noerrors notfiring nolongerfiring notactive",
        "backtonormal returntonormal deescalated unfiring untriggered autoresolved autoclosed falsepositive",
        "behoben gelost erledigt geschlossen wiederhergestellt normalisiert inordnung entwarnung erreichbar",
        "resolu resolue retabli retablie corrige corrigee ferme fermee termine terminee restaure normale retour",
        "resuelto resuelta recuperado recuperada solucionado cerrado cerrada restablecido resolvido resolvida fechado",
        "risolto risolta ripristinato chiuso chiusa recuperation restablecida",
        "正常 回復 復旧 解決 解決済み 解決済 解消 終了 復帰 正常化 正常に復旧 クローズ 完了",
        "恢复 已恢复 恢復 已恢復 恢复正常 恢復正常 已解决 解决 已解決 已关闭 关闭 已關閉 已清除 清除 已消除 已结束",
        "在线 健康",
    ),
    Action.ACKNOWLEDGE: (
        # PagerDuty, Opsgenie, New Relic, Nagios, Icinga, Checkmk, PRTG
        "acknowledged acknowledge acknowledges acknowledging acked ack acks acknowledgement acknowledgment",
        "acknowledgements",
        "bestatigt quittiert bestatigung acquitte acquittee acquittement reconocido reconocida reconocimiento",
        "confermato",
        "確認 確認済み 確認済 承認 已确认 确认 已確認 認知 认领 已认领",
    ),
    Action.NOTE: (
        # Nagios, Icinga and Checkmk of what neither began nor ended; planned or silenced
        "downtimestart downtimeend downtimestarted downtimeended downtimecancelled downtimecanceled downtimeremoved",
        "downtime flappingstart flappingstop flappingend flappingdisabled flapping custom",
        "maintenance undermaintenance inmaintenance maintenancestart maintenanceend scheduled suppressed suppress",
        "unsuppressed silenced silence unsilenced muted mute unmuted snoozed snooze unsnoozed shelved unshelved",
        "blackout",
        "paused pause pending unacknowledged unacknowledge unacknowledgement unack unacked",
        "comment commented comments annotated annotation note notes noteadded commentadded",
        "wartung ausfallzeit pausiert enmaintenance enpause mantenimiento enpausa manutenzione",
        "メンテナンス 保守中 維護中 维护 维护中 已暂停 暂停 屏蔽 已屏蔽 静默",
    ),
    Action.FIRE: (
        "1 true firing fired fire refired alerting alarm alarming alarmed active activated activate open opened",
        "opens new",
        "created create raised raise reopened reopen triggered trigger triggers retriggered problem issue incident",
        "offline failing fail error errored unhealthy bad breached breach violated violation violating violations",
        "notok",
        "notresolved unresolved started start begin began ongoing inprogress investigating identified monitoring",
        "escalated",
        # AppDynamics, OCI, Datadog, CloudWatch, SignalFx, Kibana, healthchecks
        "policyopen policyopenwarning policyopencritical policycontinues policycontinueswarning",
        "policycontinuescritical",
        "policyupgraded policydowngraded healthruleopenwarning healthruleopencritical oktofiring repeat repeated",
        "reminder",
        "renotify rewarn renodata nodata insufficientdata anomalous anomaly abnormal missing missed late timeout",
        "timedout",
        "unavailable outage disconnected dead impaired test testing notresponding reportingerror untracked accepted",
        "assigned",
        "aktiv offen ausgelost storung gestort fehlgeschlagen actif ouvert ouverte declenche alerte panne probleme",
        "activo abierto abierta problema alerta disparado fallo aperto attivo allarme",
        "障害 異常 発生 発生中 アラート 問題 障害発生 異常発生 异常 異常發生 故障 告警中 触发 已触发 报警 告警触发",
        "未恢复 离线 失败",
    ),
}

# fillers
_ABOUT_WORDS = (
    "alert alerts alarm event incident issue problem ticket check checks monitor service host state status condition "
    "policy rule health healthrule trigger violation notification type severity priority level urgency impact "
    "criticality detector device node system test outage auto automatically automatic manually manual has have been is "
    "was now fully back to again the by user"
)
_NOT_WORDS = "not never no nor cannot without partially partly almost longer isn isnt wasnt nicht pas kein"
_ENDED_WORDS = "resolved recovered cleared closed restored ended fixed solved normalized recovery"
_ABOUT, _NOT, _ENDED = (frozenset(words.split()) for words in (_ABOUT_WORDS, _NOT_WORDS, _ENDED_WORDS))


def _table(groups: Mapping[Meaning, tuple[str, ...]]) -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for meaning, lines in groups.items():
        for word in " ".join(lines).split():
            found.setdefault("".join(_parts(word)), meaning)
    return found


def normal(word: str) -> str:
    """Return a word without case and separators, unless it is all separators ("+")."""
    return _normal(word[:LONGEST])


@lru_cache(maxsize=8192)
def _normal(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word).casefold()
    return re.sub(r"[\s_\-./:]+", "", folded) or folded.strip()


def mapped(words: Mapping[str, str], *said: str) -> str:
    """Return the source's own meaning of the first word it maps; "" for none."""
    if not words:
        return ""
    known = {normal(word): ours for word, ours in words.items()}
    return next((known[normal(word)] for word in said if word and normal(word) in known), "")


def severity_of(word: str) -> str:
    """Return our severity of a word, of several the worst; "" for unknown ones."""
    return _severity_of(word[:LONGEST])


@lru_cache(maxsize=8192)
def _severity_of(word: str) -> str:
    parts = _parts(word)
    if found := _severity("".join(parts)):
        return found
    significant = [part for part in parts if part not in _ABOUT and not part.isdecimal()]
    if len(significant) != len(parts) and (found := _severity("".join(significant))):
        return found
    each = [_severity(part) for part in significant]
    return min(each, key=list(_SEVERITIES).index) if each and all(each) else ""


def action_of(word: str) -> Action | None:
    """Return what a status word asks for; None for an unknown one. Severities fire."""
    return _action_of(word[:LONGEST])


@lru_cache(maxsize=8192)
def _action_of(word: str) -> Action | None:
    parts = _parts(word)
    if found := _ACTION_OF.get("".join(parts)):
        return found
    if _NOT.intersection(parts):
        return None
    significant = [part for part in parts if part not in _ABOUT]
    if significant and (found := _ACTION_OF.get("".join(significant))):
        return found
    if len(significant) > 1 and (significant[-1] in _ENDED or _ACTION_OF.get(significant[-1]) == Action.ACKNOWLEDGE):
        return _ACTION_OF[significant[-1]]
    return Action.FIRE if severity_of(word) else None


def _severity(word: str) -> str:
    if code := _CODE.fullmatch(word):
        return _OF_CODE.get(code[1], "")
    return _SEVERITY_OF.get(word, "")


def _parts(word: str) -> list[str]:
    apart = unicodedata.normalize("NFKD", word).casefold()
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return _MARKS.sub(" ", plain).split()


_SEVERITY_OF = _table(_SEVERITIES)
_ACTION_OF = _table(_STATUSES)
