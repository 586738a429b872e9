"""Capacity: how many places each unit needs and lacks, year by year, and who goes where when places are few."""
