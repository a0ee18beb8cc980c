import { Option } from 'commander';
import { defaultTier, tiers } from '../../engine/machine/tier';

/** `--tier`, wherever code runs. */
export function tierOption(): Option {
  return new Option('--tier <how>', 'what executes the guest: translator means all that it can, auto what runs much; never visible to the guest').choices(tiers).default(defaultTier);
}
