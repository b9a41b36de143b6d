"""WeChat Pay v3, merchant transfer (商家转账): the whole client, by the provider's documents and nobody's library.

``signing`` is the cryptography, ``platform`` whose signature is believed, ``wire`` one signed call, ``bills`` the daily
file, ``gateway`` the port.
"""
