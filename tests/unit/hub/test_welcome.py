"""What a newcomer is told to try next."""

from hub.run_file import Running
from hub.welcome import welcome


def test_the_text_names_addresses_users_and_three_lines_of_each() -> None:
    """Nothing has to be looked up elsewhere: the lines can be pasted as they are."""
    running = Running(
        pid=1,
        grpc={"auth": "127.0.0.1:18401", "clinical": "127.0.0.1:18402"},
        http="http://127.0.0.1:18400",
        mllp_host="127.0.0.1",
        mllp_port=18404,
        organizations=[
            {
                "name": "organizations/1",
                "display_name": "Hôpital de Nice",
                "users": [
                    {"email": "admin@nice.example", "password": "a", "roles": ["administrator"]},
                    {"email": "doctor@nice.example", "password": "d", "roles": ["doctor"]},
                ],
            }
        ],
    )

    text = welcome(running)

    lines = [line.strip() for line in text.splitlines()]
    assert sum(line.startswith("grpcurl ") for line in lines) == 3
    assert sum(line.startswith("curl ") for line in lines) == 3
    assert "http://127.0.0.1:18400/api/docs" in text
    assert '{"email": "doctor@nice.example", "password": "d"}' in text
    assert any("admin@nice.example" in line for line in lines)
    assert ".venv/bin/medhub demo" in lines
