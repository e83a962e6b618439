"""What other systems call how bad it is, and whether it is over."""

from django.test import SimpleTestCase

from alerts.reading.words import action_of, mapped, normal, severity_of
from alerts.updates import Action

# By commas, for words have blanks in them.
SEVERITIES = {
    "critical": (
        "Sev0,SEV-0,sev_1,Sev1,S1,P0,p1,Priority-1,severity.0,CRITICAL,Crit,fatal,EMERG,emergency,alert,panic,Blocker,"
        "Highest,urgent,Disaster,DOWN,UNREACHABLE,nonRecoverable,ALERT_CRITICALITY_LEVEL_CRITICAL,AVAILABILITY,red,"
        "critique,KRITISCH,Höchste,crítico,Desastre,严重,紧急,致命,緊急,致命的な障害,クリティカル,1 - Critical,"
        "P1 - Critical,Critical (1),Sev 0,P2 / critical,major_outage,Fatal error"
    ),
    "high": "sev2,P2,S2,high,ERR,error,Major,severe,UNKNOWN,Trouble,orange,hoch,élevé,alto,重要,重大,2 - High",
    "medium": "Sev3,P3,Warning,WARN,minor,Average,normal,moderate,degraded,mittel,moyen,警告,次要,non-critical",
    "low": "sev4,P4,p5,info,Informational,notice,debug,none,OK,trivial,Lowest,niedrig,faible,提示,情報,5 - Planning",
    "": ",purple,1,7,p9,sev12,not critical,critical-ish,{},x" + "x" * 5000,
}
STATUSES = {
    Action.RESOLVE: (
        "passing,restored,check.up,CHECK_UP,monitor.recovered,incident.resolved,POLICY_CLOSE,POLICY_CLOSE_CRITICAL,"
        "Deactivated,operational,online,successful,recovered,closed,cleared,FIRING_TO_OK,removed,0,false,OK,RECOVERY,"
        "behoben,gelöst,résolu,resuelto,正常,恢复,已解决,復旧,解決,manually resolved,Resolved automatically,"
        "back to normal,No Data Recovered,Warn Recovered,Down ended,the problem has been resolved,Alert: closed"
    ),
    Action.ACKNOWLEDGE: (
        "ACKNOWLEDGEMENT,Acknowledgment,acked,ack,incident.acknowledged,已确认,確認済み,Down (Acknowledged),"
        "problem acknowledged"
    ),
    Action.NOTE: (
        "DOWNTIMESTART,DOWNTIMEEND,DOWNTIMECANCELLED,FLAPPINGSTART,FLAPPINGSTOP,CUSTOM,maintenance,suppressed,paused,"
        "snoozed,unacknowledged,muted,维护中,under maintenance"
    ),
    Action.FIRE: (
        "PROBLEM,firing,check.down,ALARM,triggered,open,active,CRITICAL,warning,unknown,UNREACHABLE,OK_TO_FIRING,"
        "POLICY_OPEN_WARNING,Sev1,INSUFFICIENT_DATA,1,true,unresolved,异常,告警,障害,"
        "not resolved,not ok,No Data,in progress"
    ),
    None: ",wibble,2,42,partially recovered,never closed,status,check.sideways",
}


class WordTests(SimpleTestCase):
    def test_it_knows_how_bad_other_systems_say_it_is(self):
        for ours, words in SEVERITIES.items():
            for word in words.split(","):
                with self.subTest(word=word[:40]):
                    self.assertEqual(severity_of(word), ours)

    def test_it_knows_what_other_systems_say_of_a_state(self):
        for ours, words in STATUSES.items():
            for word in words.split(","):
                with self.subTest(word=word):
                    self.assertEqual(action_of(word), ours)

    def test_it_compares_the_words_of_maps_without_case_and_separators(self):
        alike = [
            {"Check.Up", "check_up", "CHECK UP", "check-up", "checkup"},
            {"ＯＫ", "ok"},
            {"正常"},
            {"ÉTÉ", "été"},
            {"+"},
            {"-"},
        ]

        for words in alike:
            self.assertEqual(len({normal(word) for word in words}), 1, words)
        self.assertEqual(len({normal(word) for words in alike for word in words}), len(alike))

    def test_it_takes_the_first_word_that_a_map_knows(self):
        words = {"Sev-9": "low", "正常": "resolved"}

        self.assertEqual(
            [mapped(words, "", "x", "SEV 9"), mapped(words, "正常"), mapped(words)], ["low", "resolved", ""]
        )
        self.assertEqual(mapped({}, "a"), "")
