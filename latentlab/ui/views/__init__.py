"""The views of the Explore screen: picture, grid, probe and map, each with its controls and exports."""
