"""What other packages join to Hydra: their scenarios, and their folders of configuration files.

A package names its presets in the entry-point group `mhgym.scenarios`, and in `mhgym.configs` a package of YAML files
in groups as in `conf/`: `[project.entry-points."mhgym.configs"] village = "village.conf"`. A plain folder of such files
is given on the command line by `--config-dir`.
"""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.errors import ConfigCompositionException, SearchPathException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mhgym.presets import find_preset, preset_names
from mhgym.presets.joined import package_of

CONFIGS = "mhgym.configs"
PRESET = "preset"  # the group of all presets


class PresetSource(ConfigSource):
    """The group `preset`: ours and those of other packages, which are imported when they are asked for."""

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider=provider, path=path)
        check_configs(joined_configs())  # here, because Hydra tells its own errors in a line only from here on

    @staticmethod
    def scheme() -> str:
        """Of the search path."""
        return "presets"

    def load_config(self, config_path: str) -> ConfigResult:
        """The schema of a preset, which is its dataclass.

        Raises:
            ConfigCompositionException: If it cannot be had; the message names the package.
        """
        name = config_path.removeprefix(f"{PRESET}/")
        try:
            node = OmegaConf.structured(find_preset(name))
        except OmegaConfBaseException as error:
            words = str(error).splitlines()[0]
            raise ConfigCompositionException(f"Hydra cannot take the settings of scenario {name!r}: {words}") from None
        except ValueError as error:
            raise ConfigCompositionException(str(error)) from None
        return ConfigResult(self.provider, self.full_path(), node, {"package": None})

    def available(self) -> bool:
        """Always."""
        return True

    def is_group(self, config_path: str) -> bool:
        """Whether it is the group of presets."""
        return config_path.rstrip("/") == PRESET

    def is_config(self, config_path: str) -> bool:
        """Whether it is a preset."""
        group, _, name = config_path.rpartition("/")
        return group == PRESET and name in preset_names()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Presets by name."""
        return sorted(preset_names()) if results_filter in (None, ObjectType.CONFIG) else []


class JoinedSearchPath(SearchPathPlugin):
    """Puts presets, and the configuration folders of other packages, behind `conf/`."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append them."""
        search_path.append("mhgym", f"{PresetSource.scheme()}://mhgym")
        for point in joined_configs():
            search_path.append(point.name, f"pkg://{point.module}")


def register_search_path() -> None:
    """Make both known to Hydra, which finds only plugins of a top-level package `hydra_plugins` by itself."""
    for plugin in (PresetSource, JoinedSearchPath):
        Plugins.instance().register(plugin)


def joined_configs() -> list[EntryPoint]:
    """Configuration folders of other packages."""
    return sorted(entry_points(group=CONFIGS), key=lambda point: point.name)


def check_configs(points: list[EntryPoint]) -> None:
    """See that every configuration folder is there, and that no file stands twice.

    Raises:
        SearchPathException: Otherwise; the message names the package.
    """
    from experiments.configs import CONF  # which imports this module

    owners = {str(path.relative_to(CONF)): "mhgym" for path in CONF.rglob("*.yaml")}
    for point in points:
        package = package_of(point)
        what = f"the configuration folder {point.module!r} of {package}"
        try:
            names = list(_yaml_files(files(point.module)))
        except Exception as error:
            words = f"{what} cannot be read: {type(error).__name__}: {error}; mend that package or uninstall it"
            raise SearchPathException(words) from None
        if not names:
            raise SearchPathException(f"{what} has no YAML file; is it a package, and are they in what was installed?")
        for name in names:
            if name in owners:
                raise SearchPathException(f"{what} has {name}, which {owners[name]} has, too; rename it")
            owners[name] = package


def _yaml_files(folder: Traversable, above: str = "") -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _yaml_files(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            yield f"{above}{entry.name}"
