"""Publishes CloudWatch's words to a topic. Arguments: our address of intake, the state, the topic."""

import json
import sys

import boto3

intake, state, topic = sys.argv[1:]
client = boto3.client("sns", region_name="us-east-1", aws_access_key_id="e2e", aws_secret_access_key="e2e")
arn = client.create_topic(Name=topic)["TopicArn"]
client.subscribe(TopicArn=arn, Protocol="http", Endpoint=intake)
alarm = {
    "AlarmName": f"CPU of {topic}",
    "AlarmArn": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{topic}",
    "AWSAccountId": "123456789012",
    "NewStateValue": state,
    "OldStateValue": "OK" if state == "ALARM" else "ALARM",
    "NewStateReason": "Threshold Crossed",
    "StateChangeTime": "2026-11-01T12:00:00.000+0000" if state == "ALARM" else "2026-11-01T12:05:00.000+0000",
    "Region": "US East (N. Virginia)",
    "Trigger": {"MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "Dimensions": []},
}
client.publish(TopicArn=arn, Message=json.dumps(alarm))
print(arn)
