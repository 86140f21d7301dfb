"""The clinical service: patients, who may open their records, and what hospitals tell of them.

It owns the identity of patients, care links, stays, results and the HL7 v2 messages they came
in. It never decides who somebody is (auth does) and never keeps an audit trail (compliance does).
"""
