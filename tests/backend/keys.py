"""Keys as their issuers make them: whatever knows keys by their looks knows all of these.

Put together here, so that no scanner of this repository takes them for real ones.
"""

from __future__ import annotations

ISSUED = {
    "an API key": [
        "sk-" + "proj-a1B2c3D4e5F6g7H8i9J0",
        "sk-" + "proj-4f9d8c7b6a5e4d3c2b1a",
        "sk-" + "ant-api03-AbCd_EfGh-IjKlMnOp",
        "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
        "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
        "AIza" + "SyA-1234567890abcdefghijklmnopqrstu",
        "hf_" + "abcdefghijABCDEFGHIJ0123456789",
        "gsk_" + "abcdefghijABCDEFGHIJ0123456789",
        "gsk_" + "0123456789abcdefghijABCDEFGHIJ0123456789",
        "xai-" + "0123456789abcdefghijABCDEFGHIJ0123456789",
    ],
    "an access token": [
        "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
        "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
        "github_pat_" + "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789",
        "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
        "xoxb-" + "123456789012-abcdefghij",
        "xoxb-" + "2345678901-abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJjdXN0b21lciJ9.c2lnbmF0dXJlLW9mLWl0",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    ],
    "an access key of AWS": ["AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE"],
    "a private key": ["-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"],
}
