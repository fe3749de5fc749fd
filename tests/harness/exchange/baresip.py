"""baresip as a SIP telephone: signs in over TLS, answers by itself, speaks a tone, encrypts its sound."""

import shutil
import subprocess
from pathlib import Path

PROGRAM = "baresip"
MODULES = next(iter(Path("/usr/lib").glob("**/baresip/modules")), None)
WHY_NO_BARESIP = (
    "" if shutil.which(PROGRAM) and MODULES else "baresip is missing (apt-get install baresip)"
)

_CONFIG = """
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
sip_cafile {folder}/exchange.pem
call_max_calls 2
audio_player aufile,{folder}/heard.wav
audio_source ausine,440
audio_alert aufile,{folder}/alert.wav
ausrc_srate 48000
ausrc_channels 2
auplay_channels 1
auplay_srate 8000
rtp_tos 184
module_path {modules}
module g711.so
module ausine.so
module aufile.so
module srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
"""


class Baresip:
    """One process, ended by its own id."""

    def __init__(
        self, folder: Path, authority: Path, server: tuple[str, int], name: str, password: str
    ) -> None:
        self._folder = folder / "baresip"
        self._folder.mkdir()
        shutil.copy(authority, self._folder / "exchange.pem")
        text = _CONFIG.format(folder=self._folder, modules=MODULES)
        (self._folder / "config").write_text(text)
        host, port = server
        (self._folder / "accounts").write_text(
            f"<sip:{name}@{host}:{port};transport=tls>;auth_user={name};auth_pass={password};"
            "answermode=auto;mediaenc=srtp-mand;audio_codecs=pcma;regint=60\n"
        )
        (self._folder / "contacts").write_text("")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("wb") as out:
            self._process = subprocess.Popen(
                [shutil.which(PROGRAM) or PROGRAM, "-f", self._folder, "-v"],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
            )

    def log(self) -> str:
        return (self._folder / "log").read_text("latin-1")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
