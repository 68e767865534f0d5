"""Ray Jobs for ftbridge: our trainer on a cluster that is there already."""

from ftbridge_ray.adapter import RayProvider as Provider

__all__ = ["Provider"]
