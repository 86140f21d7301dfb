"""What a service holds of a person: found and handed over from what its tables declare.

One mechanism for all services. A table says how the persons are found whom its rows are about, a
column which field of the contract it holds; a service adds how it opens what it has sealed.
"""
