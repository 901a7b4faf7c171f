"""Serves speech to text: `python -m etbgm_stt`."""


def main() -> None:
    """Reads the settings from the environment and serves until SIGTERM."""
    # Imported here because every decoder process imports this module again.
    from etbgm_kit.serving.process import run
    from etbgm_kit.serving.settings import read
    from etbgm_stt.assembly import build
    from etbgm_stt.settings import Settings

    run(lambda: build(read(Settings)))


if __name__ == "__main__":
    main()
